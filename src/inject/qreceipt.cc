// qreceipt: sends a notice of delivery where one is asked for. For .qmail files; exits 0, 100, 111.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("qreceipt", argc, argv, run_qreceipt);
}
