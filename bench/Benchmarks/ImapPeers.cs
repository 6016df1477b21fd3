using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using static CbaMail.Bench.Benchmarks.Peers;

namespace CbaMail.Bench.Benchmarks;

/// <summary>
/// IMAP beside Dovecot, in turns, operation by operation: by the script "imap" of the peer's folder (a mix of commands where IMAPTEST names a
/// binary of Dovecot's imaptest, one mailbox of 5,000, sign-ins, idle connections), and by a client of our own on a mailbox of CBAMAIL_IMAP_MESSAGES
/// (20,000), 500 connections that wait, and mbsync. CBAMAIL_IMAP_STORE: how Dovecot keeps mail (maildir, sdbox, mdbox, mailcow).
/// CBAMAIL_PEER_QUICK=1: less of everything; CBAMAIL_PEER_ONLY="imap --modes bulk,operations,wake,mbsync" runs alone what begins so.
/// </summary>
internal static class ImapPeers
{
    // imaptest takes the first 200
    private const string User = "u0301@bench.test", Waiting = "u0302@bench.test", Synchronised = "u0303@bench.test", ByScript = "310";
    private const int Connections = 500;

    private static readonly int Messages = int.Parse(Environment.GetEnvironmentVariable("CBAMAIL_IMAP_MESSAGES") ?? (Quick ? "5000" : "20000"), CultureInfo.InvariantCulture);
    private static readonly string Store = Environment.GetEnvironmentVariable("CBAMAIL_IMAP_STORE") ?? "maildir";
    private static readonly int Changed = Math.Min(10_000, Messages), Fetched = Math.Min(10_000, Messages), Bulk = Quick ? 1000 : 5000, Seconds = Quick ? 8 : 30;

    // a password's hash costs what one makes it cost, and Dovecot's is compared as it stands: this yescrypt takes 0.1 ms
    internal const string CheapPasswords = "UPDATE account SET password = '$y$j15$k2XAnEHBqQ1Ct2aMXFKNa/$WwMjkeZlAeF/4ccQPhapmiArQN80kRMqDJGnL3AiH.6'";

    private sealed record Side(PeerScripts Scripts, int Imap, int Imaps, int Lmtp, string Pids, BenchServer? Ours)
    {
        public double Memory() => Ours?.Resident() ?? ProcessTree.Megabytes(Pids);

        /// <summary>Milliseconds by the clock and of the server's CPU.</summary>
        public async Task<(double Wall, double Cpu)> MeterAsync(Func<Task> work)
        {
            var (cpu, clock) = (ProcessTree.CpuSeconds(Pids), Stopwatch.StartNew());
            await work();
            var wall = clock.Elapsed.TotalMilliseconds;
            return (wall, (ProcessTree.CpuSeconds(Pids) - cpu) * 1000);
        }

        public void Keep(string run, string key, IEnumerable<(double Wall, double Cpu)> measured)
        {
            var walls = measured.Select(one => one.Wall).Order().ToArray();
            Scripts.Keep(run, key, walls[walls.Length / 2]);
            Scripts.Keep(run, key + "_cpu", measured.Average(one => one.Cpu));
        }
    }

    /// <param name="Count">Whether the answer is a list of messages, of which both must find as many.</param>
    private sealed record Operation(string Work, string[] Commands, bool Count = false);

    private static Operation[] Operations =>
    [
        new($"SELECT of {Messages:N0}", ["SELECT INBOX"]),
        new("FETCH 1:* (FLAGS)", ["FETCH 1:* (FLAGS)"]),
        new("FETCH 1:* (ENVELOPE BODYSTRUCTURE)", ["FETCH 1:* (ENVELOPE BODYSTRUCTURE)"]),
        new($"STORE on {Changed:N0}", [$"STORE 1:{Changed} +FLAGS (\\Flagged)", $"STORE 1:{Changed} -FLAGS (\\Flagged)"]),
        new("SEARCH FROM", ["SEARCH FROM \"p77@people\""], Count: true),
        new("SEARCH SUBJECT", ["SEARCH SUBJECT \"topic 77\""], Count: true),
        new("SEARCH HEADER CONTENT-TYPE", ["SEARCH HEADER CONTENT-TYPE \"b77\""], Count: true),
        new("SEARCH TEXT", [$"SEARCH TEXT \"token{Messages / 2}x\""], Count: true),
        new("SEARCH SUBJECT in the index", ["SEARCH SUBJECT \"topic 78\""], Count: true),
        new("SEARCH HEADER CONTENT-TYPE in the index", ["SEARCH HEADER CONTENT-TYPE \"b78\""], Count: true),
        new("SEARCH UNSEEN SINCE LARGER", ["SEARCH UNSEEN SENTSINCE 1-Jan-2016 LARGER 1000"], Count: true),
        new("SORT (SUBJECT)", ["SORT (SUBJECT) UTF-8 ALL"], Count: true),
        new("SORT (REVERSE DATE)", ["SORT (REVERSE DATE) UTF-8 ALL"], Count: true),
        new("THREAD REFERENCES", ["THREAD REFERENCES UTF-8 ALL"]),
        new("THREAD REFS", ["THREAD REFS UTF-8 ALL"]),
        new("THREAD ORDEREDSUBJECT", ["THREAD ORDEREDSUBJECT UTF-8 ALL"]),
        new("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])", ["FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])"]),
        // what clients ask for when they see a mailbox for the first time
        new("Thunderbird's first look", ["UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])"]),
        new("Apple Mail's", ["UID FETCH 1:* (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from to cc message-id in-reply-to references content-type x-priority x-uniform-type-identifier x-universally-unique-identifier list-id list-unsubscribe)])"]),
        new("K-9's", ["UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (date subject from content-type to cc reply-to message-id references in-reply-to list-unsubscribe sender X-K9mail-Identity Chat-Version)])"]),
        new("mbsync's", ["UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-TUID MESSAGE-ID)])"]),
        new("FETCH 1:* (BODY.PEEK[HEADER])", ["FETCH 1:* (BODY.PEEK[HEADER])"]),
        new($"FETCH BODY.PEEK[] of {Fetched:N0}", [$"FETCH 1:{Fetched} (BODY.PEEK[])"]),
    ];

    private static IEnumerable<Figure> Figures()
    {
        foreach (var clients in new[] { 10, 50, 100 }) yield return new($"mix of imaptest, {clients} clients", $"imap mix clients={clients} ", "commands_per_s", "/s", Times: 4, Cpu: "cpu");
        foreach (var tls in new[] { "plain", "tls" })
            foreach (var parallel in new[] { 1, 10 })
                yield return new($"sign-ins, {tls}, {parallel} at a time", $"imap login {tls} parallel={parallel} ", "logins_per_s", "/s", Times: 10, Cpu: "cpu_ms_per_login");
        var bulk = $"imap bulk n={Bulk} ";
        yield return new($"APPEND of 10 KB, one connection", bulk, "append_per_s", "/s", Times: 4, Cpu: "append_cpu");
        foreach (var (work, key) in new[]
        {
            ("SELECT", "select"), ("FETCH (FLAGS ENVELOPE BODYSTRUCTURE), first", "fetch_meta_first"), ("  again", "fetch_meta_again"), ("FETCH BODY.PEEK[]", "fetch_body"),
            ("FETCH (UID FLAGS)", "fetch_flags"), ("STORE +FLAGS.SILENT", "store_flags"), ("SEARCH SUBJECT", "search_subject"), ("SEARCH TEXT, first", "search_text_rare"),
            ("  again", "search_text_again"), ("SEARCH BODY, a frequent word", "search_body_common"), ("COPY", "copy"), ("EXPUNGE", "expunge"),
        })
            yield return new(work.StartsWith(' ') ? work : $"{work}, {Bulk:N0} of 10 KB", bulk, key, "ms", Times: 1, Cpu: key + "_cpu");
        foreach (var operation in Operations)
        {
            yield return new(operation.Work + ", first", "operations", operation.Work + " first", "ms", Times: 1, Cpu: operation.Work + " first_cpu");
            yield return new("  again", "operations", operation.Work, "ms", Times: 1, Cpu: operation.Work + "_cpu");
        }
        yield return new($"a mail until all of {Connections} IDLE connections know (TLS)", "wake", "told", "ms", Times: 1, Cpu: "told_cpu");
        yield return new($"  memory of the {Connections}, over idle", "wake", "mb", "MB", Most: 30);
        yield return new("  15 seconds later", "wake", "later", "MB", Most: 30);
        yield return new($"memory of {Connections} IDLE, plain, over idle, by the script", "imap idle plain", "mb", "MB");
        yield return new($"  TLS", "imap idle tls", "mb", "MB", Most: 30);
        yield return new($"mbsync of {Fetched:N0}", "mbsync", "pull", "ms", Times: 1, Cpu: "pull_cpu");
    }

    public static async Task RunAsync(Report report)
    {
        if (PeerScripts.Find() is not { } folder)
        {
            report.Note($"Nothing was measured: the scripts are not in {PeerScripts.Folder}; set CBAMAIL_PEER_BENCH to where they are.");
            return;
        }
        if (Environment.GetEnvironmentVariable("BENCH_QUIET_WAIT") is null) Environment.SetEnvironmentVariable("BENCH_QUIET_WAIT", Quick ? "0" : "5");
        await using var server = await Prepared.StartAsync("search: {after: 10m}\n", CheapPasswords); // what is new is searched before it is in the index, and after
        await using var peer = await PeerScripts.UpAsync(folder, store: Store);
        await using var scripts = new PeerScripts(folder, "ours", await server.WriteAsync("env", PeerScripts.EnvironmentOf(server)));
        var ours = new Side(scripts, server.Offset + 143, server.Offset + 993, server.Offset + 24, Path.Combine(server.Folder, "pid"), server);
        Side[] sides = [ours, new(peer, 10143, 10993, 10024, "/tmp/peer/pids", null)];

        var runs = Quick ? "1" : "3";
        string[][] work =
        [
            ["imap", "--modes", "login", "--runs", runs],
            .. Quick ? [] : new[] { new[] { "imap", "--modes", "bulk", "--runs", "1", "--messages", "300", "--first-user", "320" } }, // warms; not in the table
            ["imap", "--modes", "bulk", "--runs", runs, "--messages", $"{Bulk}", "--first-user", ByScript],
            .. new[] { 10, 50, 100 }.Select(clients => new[] { "imap", "--modes", "mix", "--runs", runs, "--clients", $"{clients}", "--secs", $"{Seconds}" }),
        ];
        foreach (var line in work.Where(Wanted))
            foreach (var side in sides) await side.Scripts.RunAsync(line);
        if (!File.Exists(Environment.GetEnvironmentVariable("IMAPTEST"))) report.Note("The mix was not measured: IMAPTEST names no binary.");

        await PartAsync(report, "operations", () => OperationsAsync(report, sides));
        await PartAsync(report, "mbsync", () => SynchroniseAsync(sides));
        foreach (var side in sides) await PartAsync(report, "wake", () => WakeAsync(side));
        string[] idle = ["imap", "--modes", "idle", "--runs", "1", "--idle", $"{Connections}"];
        foreach (var side in sides.Where(_ => Wanted(idle) && !Quick))
        {
            if (side.Ours is not null) await side.Ours.RestartAsync();
            await side.Scripts.RunAsync(idle);
        }
        foreach (var side in sides) Derive(side);
        report.Note($"Dovecot's mail: {Store}");
        Print(report, Figures(), scripts, peer);
    }

    // one that fails is said, and its figures are missing
    private static async Task PartAsync(Report report, string name, Func<Task> run)
    {
        if (!Wanted(name)) return;
        try { await run(); }
        catch (Exception e) when (e is InvalidOperationException or IOException or TimeoutException) { report.Note($"{name} failed: {e.Message}"); }
    }

    /// <summary>What the table shows and the scripts do not say: CPU of an operation, and memory of all connections.</summary>
    private static void Derive(Side side)
    {
        void Copy(string run, string from, string to, double times)
        {
            if (side.Scripts.Value(run + " ", from) is { } value) side.Scripts.Keep(run, to, value * times);
        }
        foreach (var clients in new[] { 10, 50, 100 })
        {
            var run = $"imap mix clients={clients} {Seconds}s";
            if (side.Scripts.Value(run, "commands_per_s") is { } rate) Copy(run, "server_cpu_s", "cpu", 1000 / (rate * Seconds));
        }
        foreach (var key in new[] { "select", "fetch_meta_first", "fetch_meta_again", "fetch_body", "fetch_flags", "store_flags", "search_subject", "search_text_rare", "search_text_again", "search_body_common", "copy", "expunge" })
        {
            Copy($"imap bulk n={Bulk}", key + "_s", key, 1000);
            Copy($"imap bulk n={Bulk}", key + "_cpu_s", key + "_cpu", 1000);
        }
        Copy($"imap bulk n={Bulk}", "append_cpu_s", "append_cpu", 1000.0 / Bulk);
        foreach (var run in new[] { "imap idle plain", "imap idle tls" }) Copy(run, side.Ours is null ? "pss_kb_per_conn" : "rss_kb_per_conn", "mb", Connections / 1024.0);
    }

    private static async Task OperationsAsync(Report report, Side[] sides)
    {
        foreach (var side in sides) await FillAsync(side, User, Messages);
        var clients = new List<ImapPeek>();
        foreach (var side in sides) clients.Add(await ImapPeek.OpenAsync(side.Imap, User));
        foreach (var operation in Operations)
        {
            var found = new int[2];
            for (var i = 0; i < 2; i++)
            {
                Console.Error.WriteLine($"  {DateTimeOffset.Now:HH:mm:ss} {(i == 0 ? "ours" : "peer")}: {operation.Work}");
                var first = await sides[i].MeterAsync(async () => found[i] = await AskAsync(clients[i], operation.Commands[0], operation.Count));
                sides[i].Keep("operations", operation.Work + " first", [first]);
            }
            if (found[0] != found[1]) report.Note($"{operation.Work}: ours finds {found[0]}, the peer {found[1]}");
            if (operation.Work == "SEARCH TEXT" && sides[0].Ours is { } server) await IndexedAsync(server);
            var measured = new[] { new List<(double, double)>(), new List<(double, double)>() };
            for (var round = 1; round <= (Quick ? 3 : 5); round++)
                for (var i = 0; i < 2; i++)
                    measured[i].Add(await sides[i].MeterAsync(() => AskAsync(clients[i], operation.Commands[round % operation.Commands.Length], operation.Count)));
            for (var i = 0; i < 2; i++) sides[i].Keep("operations", operation.Work, measured[i]);
        }
        foreach (var client in clients) client.Dispose();
    }

    private static async Task<int> AskAsync(ImapPeek client, string command, bool count)
    {
        if (!count)
        {
            await client.RunAsync(command);
            return 0;
        }
        var answer = await client.AskAsync(command);
        return answer.Split("\r\n").First(line => line.StartsWith("* S", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries).Length - 2;
    }

    private static async Task IndexedAsync(BenchServer server)
    {
        await server.CliAsync("search", "rebuild", User); // more than a search takes in by itself
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            var status = JsonDocument.Parse(await server.CliAsync("search", "status", User, "--json")).RootElement;
            if (status.EnumerateArray().All(row => row.GetProperty("pending").GetInt64() == 0)) return;
            if (clock.Elapsed > TimeSpan.FromMinutes(5)) throw new InvalidOperationException("the index is not filled");
        }
    }

    private static async Task FillAsync(Side side, string user, int messages)
    {
        Console.Error.WriteLine($"  {DateTimeOffset.Now:HH:mm:ss} {(side.Ours is null ? "peer" : "ours")}: {messages:N0} messages for {user}");
        byte[] Letter(int i) => Corpus.Letter(i, user, 4_000);
        var maildir = $"/tmp/peer/mail/{user[..5]}/Maildir";
        if (side.Ours is null && Store == "maildir" && Environment.IsPrivilegedProcess)
        {
            // as files, because Dovecot would flush each
            foreach (var folder in new[] { "cur", "new", "tmp" }) System.IO.Directory.CreateDirectory($"{maildir}/{folder}");
            for (var i = 0; i < messages; i++)
            {
                var letter = Letter(i);
                await File.WriteAllBytesAsync(string.Create(CultureInfo.InvariantCulture, $"{maildir}/cur/{1_760_000_000 + i}.M{i}P1.bench,S={letter.Length},W={letter.Length}:2,"), letter);
            }
            await PeerScripts.ShellAsync("chown -R vmail: \"$0\"", Path.GetDirectoryName(maildir)!);
        }
        else
        {
            using var client = await ImapPeek.OpenAsync(side.Imap, user);
            for (var i = 0; i < messages; i += 100) await client.AppendAsync("INBOX", [.. Enumerable.Range(i, Math.Min(100, messages - i)).Select(Letter)]);
        }
        using var look = await ImapPeek.OpenAsync(side.Imap, user);
        await look.RunAsync("SELECT INBOX");
        if (await look.CountAsync() is var count && count != messages) throw new InvalidOperationException($"{count} of {messages} messages are there");
    }

    private static async Task WakeAsync(Side side)
    {
        if (side.Ours is not null) await side.Ours.RestartAsync(); // the connections alone
        for (var i = 0; i < 20; i++) (await ImapPeek.OpenAsync(side.Imaps, Waiting, tls: true)).Dispose();
        await Task.Delay(2000);
        var before = side.Memory();
        var clients = new List<ImapPeek>();
        for (var i = 0; i < Connections; i += 10)
        {
            clients.AddRange(await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
            {
                var client = await ImapPeek.OpenAsync(side.Imaps, Waiting, tls: true);
                await client.IdleAsync();
                return client;
            })));
        }
        await Task.Delay(5000); // as the script waits
        side.Scripts.Keep("wake", "mb", side.Memory() - before);
        await Task.Delay(15_000);
        side.Scripts.Keep("wake", "later", side.Memory() - before);
        var session = await SmtpIn.Session.OpenAsync(side.Lmtp, "LHLO");
        var measured = new List<(double, double)>();
        for (var round = 0; round < 4; round++)
        {
            var told = Task.WhenAll(clients.Select(client => client.ToldAsync()));
            var one = await side.MeterAsync(async () =>
            {
                await session.SendAsync(Waiting, Corpus.Message(round, Waiting, 4_000));
                await told.WaitAsync(TimeSpan.FromSeconds(60));
            });
            if (round > 0) measured.Add(one); // the first starts what receives
            await Task.Delay(1000);
        }
        side.Keep("wake", "told", measured);
        await session.QuitAsync();
        foreach (var client in clients) client.Dispose();
    }

    private static async Task SynchroniseAsync(Side[] sides)
    {
        foreach (var side in sides) await FillAsync(side, Synchronised, Fetched);
        var measured = sides.ToDictionary(side => side, _ => new List<(double, double)>());
        for (var round = 0; round < (Quick ? 1 : 3); round++)
        {
            foreach (var side in sides)
            {
                var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-bench-mbsync-").FullName;
                await File.WriteAllTextAsync($"{folder}/rc", $"""
                    FSync no

                    IMAPAccount far
                    Host 127.0.0.1
                    Port {side.Imap}
                    User {Synchronised}
                    Pass benchpass
                    SSLType None
                    AuthMechs LOGIN

                    IMAPStore far
                    Account far

                    MaildirStore near
                    Path {folder}/
                    Inbox {folder}/inbox

                    Channel all
                    Far :far:INBOX
                    Near :near:INBOX
                    Sync Pull
                    Create Near
                    SyncState *

                    """);
                measured[side].Add(await side.MeterAsync(() => PeerScripts.ShellAsync("exec mbsync -q -c \"$0\" all", $"{folder}/rc")));
                var count = System.IO.Directory.GetFiles($"{folder}/inbox", "*", SearchOption.AllDirectories).Count(file => file.Contains("U=", StringComparison.Ordinal));
                System.IO.Directory.Delete(folder, recursive: true);
                if (count != Fetched) throw new InvalidOperationException($"mbsync has {count} of {Fetched} messages");
            }
        }
        foreach (var side in sides) side.Keep("mbsync", "pull", measured[side]);
    }
}
