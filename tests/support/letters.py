"""Messages that a mail server may damage on their way, and what is left of them."""

import base64
import random

# What has been harmed by one server or another: dots, 8-bit bytes, lines as long as RFC 5322 lets
# them be, `From ` at the start of one, blanks at the end, and empty lines before the message's.
AWKWARD = b"\n".join([
    b"", b".", b"..", b".dot first", b"From here on it is difficult", b"trailing blanks \t ",
    "Grüße, 你好".encode(), bytes(range(0xa0, 0x100)), b"\ttab first", b" blank first",
    b"x" * 998, b"." * 998, b"=20 =", b">From", b"--", b"EOF", b"", b""])


def letter(sender, recipient, subject="hello", body=AWKWARD, attachment=0, hops=0):
    """A message (bytes, lines end with LF) with an attachment of so many random bytes, which has
    come through so many hosts.
    """
    data = base64.encodebytes(random.Random(attachment).randbytes(attachment))
    # OpenSMTPD's sendmail encodes 8-bit bytes unless it is told that they are meant.
    header = (f"From: {sender}\nTo: {recipient}\nSubject: {subject}\nMIME-Version: 1.0\n"
              "Message-ID: <letter@elsewhere.example>\nDate: 2 Aug 2002 15:16:26 -0000\n"
              "Content-Transfer-Encoding: 8bit\n"
              "Content-Type: multipart/mixed;\n boundary=\"as=d/f\"\n")
    return b"".join([
        b"Received: by elsewhere.example; 2 Aug 2002 15:16:26 -0000\n" * hops, header.encode(),
        b"\n--as=d/f\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\n", body,
        b"\n--as=d/f\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n", data,
        b"\n--as=d/f--\n\n\n"])


def body_of(message):
    return message.split(b"\n\n", 1)[1]


def header_of(message):
    return message.split(b"\n\n", 1)[0].decode("utf-8", "surrogateescape") + "\n"
