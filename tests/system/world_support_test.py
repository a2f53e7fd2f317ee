# The helpers of tests/support keep their word: a test that uses them wrongly, or whose
# expectation is not met, fails and says why.
# world: --no-suite --bare-host relay.foreign.example
import pathlib
import unittest

from support import hosts, server, services, smtp
from support.case import WorldTest
from support.wait import wait_until

RELAY = "relay.foreign.example"


class Waiting(WorldTest):
    def test_gives_the_value_waited_for(self):
        values = iter([None, 0, "", "there"])
        self.assertEqual(wait_until(lambda: next(values), "a value"), "there")

    def test_in_vain_names_what_was_missing(self):
        with self.assertRaisesRegex(AssertionError, "waited 0.01 s in vain for the moon"):
            wait_until(lambda: False, "the moon", seconds=0.01)


class Client(WorldTest):
    def converse(self, script, client_side):
        with server.ScriptedServer(script, host=RELAY), smtp.Client(RELAY) as client:
            client_side(client)

    def failure(self, script, client_side):
        with self.assertRaises(AssertionError) as caught:
            self.converse(script, client_side)
        return str(caught.exception)

    def test_expects_whole_lines(self):
        self.converse(["S 220 [mx] ready"], lambda client: client.expect("220 [mx] *"))
        text = self.failure(["S 220 mx ready"], lambda client: client.expect("220 mx"))
        self.assertEqual(text, "expected '220 mx', got '220 mx ready'\nS b'220 mx ready\\r'")

    def test_wants_cr_lf(self):
        text = self.failure(["raw b'220 mx\\n'"], lambda client: client.expect("220 mx"))
        self.assertIn("without CR", text)

    def test_notices_the_end_of_the_connection(self):
        text = self.failure(["raw b'220'"], lambda client: client.expect("220 mx"))
        self.assertIn("closed the connection; left over: b'220'", text)
        self.converse(["close"], lambda client: client.expect_close())
        text = self.failure(["S 220 mx", "hold"], lambda client: client.expect_close())
        self.assertIn("expected the end", text)

    def test_reads_replies_of_several_lines(self):
        with server.ScriptedServer(["S 250-a", "S 250-b", "S 250 c", "S 220 d"], host=RELAY), \
             smtp.Client(RELAY) as client:
            self.assertEqual(client.reply(), ["250-a", "250-b", "250 c"])

    def test_stuffs_dots_and_ends_lines_with_cr_lf(self):
        script = [*server.ACCEPT_MAIL[:10], "S 250 ok 1 qp 4711", "C QUIT", "S 221 bye"]
        with server.ScriptedServer(script, host=RELAY) as relay:
            qp = smtp.inject("a@example.org", ["b@foreign.example"], "S: x\n\n.\n..y\n", host=RELAY)
            self.assertEqual(qp, 4711)
            peer = relay.wait_for_connections()[0]
        self.assertEqual(peer.data, b"S: x\r\n\r\n..\r\n...y\r\n.\r\n")
        self.assertEqual(peer.lines, ["EHLO client.example", "MAIL FROM:<a@example.org>",
                                      "RCPT TO:<b@foreign.example>", "DATA", "QUIT"])


class Server(WorldTest):
    def test_gives_each_connection_its_own_script(self):
        with server.ScriptedServer([["S 1"], ["S 2"]], host=RELAY) as relay:
            for greeting in ("1", "2", "2"):
                with smtp.Client(RELAY) as client:
                    client.expect(greeting)
            relay.wait_for_connections(3)

    def test_can_reset_a_connection(self):
        with server.ScriptedServer(["C *", "reset"], host=RELAY), smtp.Client(RELAY) as client:
            client.line("hello")
            with self.assertRaises(AssertionError):
                client.expect("*")

    def test_fails_the_test_when_the_client_departs_from_the_script(self):
        with self.assertRaisesRegex(AssertionError, "said 'NOOP' where 'QUIT' was expected"):
            with server.ScriptedServer(["S 220 mx", "C QUIT"], host=RELAY) as relay:
                with smtp.Client(RELAY) as client:
                    client.command("NOOP")
                    relay.wait_for_connections()


class Machine(WorldTest):
    def test_programs_run_as_a_user_with_that_users_groups(self):
        result = hosts.as_user("bob", "sh", "-c", "id -un; id -Gn; pwd; echo $HOME $USER")
        self.assertEqual(result.stdout, "bob\nbob\n/home/bob\n/home/bob bob\n")

    def test_a_failed_program_fails_the_test_with_its_output(self):
        with self.assertRaisesRegex(AssertionError, "exit 3\nstdout: out\n\nstderr: "):
            hosts.on(RELAY, "sh", "-c", "echo out; exit 3")

    def test_control_files_are_put_back(self):
        for host in (hosts.MAIN, RELAY):
            path = hosts.files(host) / "var/qmail/control/me"
            path.parent.mkdir(exist_ok=True)
            path.write_text("before\n")
            self.assertEqual(services.set_control("me", "after\n", host), "before\n")
            self.assertEqual(path.read_text(), "after\n")
            self.assertEqual(services.set_control("me", None, host), "after\n")
            self.assertFalse(path.exists())

    def test_mail_is_read_oldest_first(self):
        for number, part in enumerate(("cur", "new")):
            path = hosts.files(RELAY) / f"home/carol/Maildir/{part}/{9 - number}"
            path.write_text(str(number))
            hosts.on(RELAY, "touch", "-d", f"@{number}", f"/home/carol/Maildir/{part}/{9 - number}")
        self.assertEqual(services.maildir("carol", RELAY), [b"0", b"1"])
        self.assertEqual(services.maildir("carol"), [])

    def test_logs_are_read_without_stamps_from_now_on_and_across_rotation(self):
        directory = pathlib.Path("/var/log/qmail/qmail-send")
        directory.mkdir(parents=True)
        current = directory / "current"
        current.write_text("@4000 old line\n")
        log = services.Log()
        with current.open("a") as file:
            file.write("@4001 new msg 5\n")
        current.rename(directory / "@4001.s")
        current.write_text("@4002 end msg 5\n@4003 unfinis")
        self.assertEqual(log.lines(), ["new msg 5", "end msg 5"])
        self.assertEqual(log.wait_for(r"end msg (\d+)").group(1), "5")
        with self.assertRaisesRegex(AssertionError, "(?s)the log line 'x'.*logged:\nnew msg 5"):
            log.wait_for("x", seconds=0.01)

    def test_processes_are_found_by_host(self):
        sleeper = hosts.on(RELAY, "sh", "-c", "sleep 1000 > /dev/null 2>&1 & echo $!")
        pid = int(sleeper.stdout)
        wait_until(lambda: services.processes("sleep") == [pid], "sleep to run")
        self.assertEqual(services.processes("sleep", RELAY), [pid])
        self.assertEqual(services.processes("sleep", hosts.MAIN), [])


if __name__ == "__main__":
    unittest.main()
