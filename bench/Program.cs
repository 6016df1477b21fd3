using CbaMail.Bench;
using CbaMail.Bench.Benchmarks;
using CbaMail.Bench.Fuzz;

// name, what it measures, the figure to reach (docs: issue "First light"), how to run it
(string Name, string What, Func<Report, Task> Run)[] benchmarks =
[
    ("idle", "resident memory of a server that does nothing", Idle.RunAsync),
    ("sessions", "2,000 clients on the SMTP port that have greeted and say nothing more", IdleSessions.RunAsync),
    ("idle-imap", "500 and 5,000 connections over TLS that wait in IDLE", IdleImap.RunAsync),
    ("mailing", "2,500 personalised copies of 20 KB, with and without a shared attachment of 1 MB", Mailing.RunAsync),
    ("remote", "a mailing to 100,000 people elsewhere, and one to 2,500 mailboxes beside IMAP: about 4 minutes", RemoteMailing.RunAsync),
    ("smtp", "10 KB messages over 50 sessions into mailboxes, durable", SmtpIn.RunAsync),
    ("first", "the first message that mailboxes ever get, and the second", FirstMail.RunAsync),
    ("storage", "the vault alone: 10 KB messages from 1 and 50 producers, beside what the disk allows", Vault.RunAsync),
    ("mailbox", "a mailbox of 100,000 messages over IMAP", Mailbox.RunAsync),
    ("search", "the full-text index of 100,000 messages", Search.RunAsync),
    ("collect", "packs rewritten, and what deliveries notice of it", Collect.RunAsync),
    ("backup", "backup and verify beside 50 sessions of SMTP, and every message compared after a restore: about 4 minutes", BackupLoad.RunAsync),
    ("floor", "what the disk allows", Floor.RunAsync),
    ("peers", "the table of issue 3 beside Postfix + Dovecot: about 20 minutes", Peers.RunAsync),
    ("imap", "the table of issue 5 beside Dovecot: about 25 minutes", ImapPeers.RunAsync),
    ("authenticated", "10 KB with SPF, DKIM and DMARC verified, beside Postfix + Dovecot + Rspamd: about 5 minutes", AuthenticatedIn.RunAsync),
    ("signed", "mail that leaves signed, beside Postfix with OpenDKIM and the keys' own floor: about 5 minutes", SignedOut.RunAsync),
    ("api", "the REST API with 2,500 accounts", Api.RunAsync),
    ("mime", "the parser alone: MB/s on one core", MimeSpeed.RunAsync),
    ("dkim", "signing and verifying on one core, beside the bare operations of the keys", DkimSpeed.RunAsync),
];

if (args is ["fuzz", .. var options]) return MimeFuzz.Run(options);
if (args.Any(a => a.StartsWith('-') || !benchmarks.Any(b => b.Name == a)))
{
    Console.Error.WriteLine("usage: bench/run [NAME...]");
    foreach (var (name, what, _) in benchmarks) Console.Error.WriteLine($"  {name,-13} {what}");
    Console.Error.WriteLine("       bench/run fuzz [--minutes N] [--seed N]   mutated messages through all that reads MIME");
    return 2;
}
var report = new Report();
report.Machine();
foreach (var (name, what, run) in benchmarks.Where(b => args.Length == 0 || args.Contains(b.Name)))
{
    report.Begin(name, what);
    try
    {
        await run(report);
    }
    catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException)
    {
        report.Failed(e.Message);
    }
}
return report.Failures == 0 ? 0 : 1;
