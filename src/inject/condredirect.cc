// condredirect: sends a message on if a program says so. For .qmail files; exits 0, 99, 100, 111.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("condredirect", argc, argv, run_condredirect);
}
