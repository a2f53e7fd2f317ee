// maildir2mbox: moves the messages of the Maildir $MAILDIR to the mbox file $MAIL. qmail's wanted a
// $MAILTMP besides; ours needs none. Exits 100 if one of the two is not set, 111 if it could not
// move everything; what it has moved stays moved.
#include "local/maildir_to_mbox.h"
#include "posix/program.h"

int main() { return postern::program({.name = "maildir2mbox"}, postern::local::run_maildir2mbox); }
