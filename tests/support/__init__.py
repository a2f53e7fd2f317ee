"""Helpers for system tests, which run inside a world (scripts/world). Standard library only.

    case      WorldTest: the base of a test; control files, DNS records and files it sets for a
              test are put back afterwards, and a test that leaves mail in the queue fails
    smtp      a client that says exactly the bytes a test wants
    server    a server that follows a script, on any host of the world
    services  supervised services, their logs, the queue, control files and mailboxes
    peers     Debian's Postfix, Exim and OpenSMTPD on hosts of the world
    letters   messages that mail servers tend to damage
    hosts     running programs on a host or as a user, its files, its network
    ledger    what clients offered, and whether all that was accepted arrived (tests/fault/ledger)
    wait      waiting for conditions, never for time to pass

A test file is tests/system/<what>_test.py and runs by `scripts/system-test FILE`, in a world of
its own; `# world: --bare-host relay.foreign.example` near its top asks for more hosts.

    class Relaying(WorldTest):
        def test_mail_to_another_domain_leaves_through_its_mx(self):
            with server.ScriptedServer(server.ACCEPT_MAIL, host="relay.foreign.example") as relay:
                smtp.inject("alice@example.org", ["x@foreign.example"], "Subject: hi\\n\\nhello\\n",
                            address="127.0.0.1")
                self.assertIn(b"hello", relay.wait_for_connections()[0].data)
                self.log.wait_for(r"delivery \\d+: success: .*taken.*")
"""
