// mailsubj: sends its input as a message with a subject. Exits as qmail-inject does.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("mailsubj", argc, argv, run_mailsubj);
}
