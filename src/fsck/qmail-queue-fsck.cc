// qmail-queue-fsck [--repair] [--split NUMBER] [QUEUE]: checks the queue of a stopped mail system
// and says in words what is wrong; with --repair, mends it. Run by root. Never removes a message.
// Exits 0 if nothing is wrong, 1 if everything has been mended, 4 if something is wrong still, 100
// if used wrongly, 111 if it could not do its work: qmail-send runs, or the disk fails.
#include "fsck/fsck.h"
#include "posix/program.h"

int main(int argc, char* argv[]) {
  return postern::program({.name = "qmail-queue-fsck"},
                          [&] { return postern::fsck::run_fsck(argc, argv); });
}
