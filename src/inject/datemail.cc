// datemail: sendmail, with a Date field in local time. Exits as sendmail does.
#include "inject/dot_qmail_tools.h"

int main(int argc, char** argv) {
  using namespace postern::inject;
  return run_tool("datemail", argc, argv, run_datemail);
}
