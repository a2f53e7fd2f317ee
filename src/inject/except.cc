// except: turns a program's answer round. For .qmail files; exits 0, 100, 111.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("except", argc, argv, run_except);
}
