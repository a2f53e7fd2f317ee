// preline: gives a program a message with the mbox lines before it. For .qmail files; exits as it.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("preline", argc, argv, run_preline);
}
