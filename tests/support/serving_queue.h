// A script in the place of qmail-queue that serves (wire/queue_orders.h).
#pragma once

#include <string_view>

namespace postern::test {

/// Appends "ARGUMENTS: MESSAGE ENVELOPE" to the file seen. Of the message "refuse" its exit code is
/// 31, of one without recipients 54; of "crash" it is killed.
inline constexpr std::string_view serving_queue = R"(#!/usr/bin/python3
import os, signal, socket, sys
def take(message, envelope):
    text = os.fdopen(message).read()
    addresses = os.fdopen(envelope).read()
    with open("seen", "a") as seen:
        seen.write("%s: %s %r\n" % (" ".join(sys.argv), text, addresses))
    if text == "crash": os.kill(os.getpid(), signal.SIGKILL)
    if not addresses.endswith("\0\0"): return 54
    return 31 if text == "refuse" else 0
if sys.argv[1:] != ["--serve"]: sys.exit(take(0, 1))
caller = socket.socket(fileno=3)
caller.send(b"\0")
while True:
    try: order, descriptors, _, _ = socket.recv_fds(caller, 100, 3)
    except ConnectionResetError: os._exit(0)  # gone, and has not heard everything
    if not order: os._exit(0)
    message, envelope, answer = descriptors
    os.write(answer, b"%d\n" % os.getpid())
    code = take(message, envelope)
    try: caller.send(b"\0")
    except BrokenPipeError: pass  # no more orders
    try: os.write(answer, bytes([code]))
    except BrokenPipeError: pass  # nobody wants to know
    os.close(answer)
)";

}  // namespace postern::test
