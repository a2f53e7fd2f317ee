// forward: sends the message of a .qmail file on to other addresses. Exits 0, 100, 111.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("forward", argc, argv, run_forward);
}
