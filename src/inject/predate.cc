// predate: adds a local Date to a message for another program. Exits as that program does.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("predate", argc, argv, run_predate);
}
