using System.Globalization;

namespace CbaMail.Bench;

/// <summary>What the peer's Rspamd is to do.</summary>
/// <param name="Scanners">Processes that scan.</param>
/// <param name="Lean">Nothing but SPF, DKIM, ARC, DMARC and the field that tells of them: no rule, no statistics, no Redis.</param>
internal sealed record RspamdWay(string Name, int Scanners, bool Lean);

/// <summary>
/// Rspamd behind the peer's Postfix, which the peer's script has started with Debian's rules: started again with SPF, DKIM and DMARC asked
/// also of loopback, and the results written into the message, both of which ours does anyhow.
/// </summary>
internal static class PeerFilter
{
    private const string Home = "/tmp/peer/rspamd", Pids = "/tmp/peer/pids";
    // TCP, as the script and mailcow have it, costs Postfix 45 ms a message with one session: Nagle's algorithm against delayed acknowledgements
    private const string Milter = Home + "/run/milter.sock";
    private static readonly string[] Needed = ["spf", "dkim", "arc", "dmarc", "milter_headers"];

    public static async Task SetAsync(RspamdWay way)
    {
        await StopAsync();
        // each way begins with what the script has written
        await PeerScripts.ShellAsync("cd $0; [ -d etc.first ] || cp -a etc etc.first; rm -rf etc; cp -a etc.first etc", Home);
        var local = Path.Combine(Home, "etc/local.d");
        Task Write(string file, string text) => File.WriteAllTextAsync(Path.Combine(local, file), text);
        await Write("options.inc", $$"""
            disable_monitoring = true;
            check_local = true;
            dns { nameserver = ["{{NameServer.Address}}"]; timeout = 1s; retransmits = 5; }
            {{(way.Lean ? "filters = \"dkim\";" : "")}}
            """);
        foreach (var module in new[] { "spf", "dkim", "arc", "dmarc" }) await Write(module + ".conf", "check_local = true;\n");
        await Write("milter_headers.conf", "use = [\"authentication-results\"]; skip_local = false; skip_authenticated = false;\n");
        await Write("worker-normal.inc", string.Create(CultureInfo.InvariantCulture, $"bind_socket = \"127.0.0.1:10333\";\n{(way.Lean ? "enabled = false;" : $"count = {way.Scanners};")}\n"));
        // without rules a second process to hand the message to is a cost alone
        await Write("worker-proxy.inc", string.Create(CultureInfo.InvariantCulture, $$"""
            bind_socket = "{{Milter}} mode=0666";
            milter = yes;
            timeout = 120s;
            {{(way.Lean ? $"count = {way.Scanners}; upstream \"local\" {{ default = yes; self_scan = yes; }}" : "upstream \"local\" { default = yes; hosts = \"127.0.0.1:10333\"; }")}}
            """));
        if (way.Lean)
        {
            await Write("worker-controller.inc", "enabled = false;\n");
            await File.WriteAllTextAsync(Path.Combine(Home, "etc/statistic.conf"), "");
            await File.WriteAllTextAsync(Path.Combine(Home, "etc/composites.conf"), "");
            foreach (var file in System.IO.Directory.EnumerateFiles(Path.Combine(Home, "etc/modules.d")))
                if (Path.GetFileNameWithoutExtension(file) is var module && !Needed.Contains(module)) await Write(module + ".conf", "enabled = false;\n");
        }
        await PeerScripts.ShellAsync("""
            H=$0; chown -R _rspamd $H; rspamd -u _rspamd -g _rspamd -c $H/etc/rspamd.conf --var=CONFDIR=$H/etc --var=LOCAL_CONFDIR=$H/etc \
              --var=DBDIR=$H/db --var=RUNDIR=$H/run --var=LOGDIR=$H/log -p $H/pid >$H/out 2>&1 </dev/null
            """, Home);
        await File.AppendAllTextAsync(Pids, await PidAsync() + "\n");
        await PeerScripts.ShellAsync("for i in $(seq 300); do [ -S $0 ] && exit; sleep .1; done; exit 1", Milter);
        await FilterAsync("unix:" + Milter);
    }

    /// <summary>Shows Postfix's mail to a milter, or to none.</summary>
    public static Task FilterAsync(string milter) => PeerScripts.ShellAsync(
        "C=/tmp/peer/postfix/etc; postconf -c $C -e smtpd_milters=$0 non_smtpd_milters= milter_default_action=tempfail && postfix -c $C reload >/dev/null 2>&1 </dev/null; sleep 1", milter);

    // Rspamd holds a lock upon the file
    private static async Task<string> PidAsync() =>
        (await PeerScripts.ShellAsync("for i in $(seq 300); do [ -s $0/pid ] && exec cat $0/pid; sleep .1; done; cat $0/out >&2; exit 1", Home)).Trim();

    private static async Task StopAsync()
    {
        var pid = await PidAsync();
        await PeerScripts.ShellAsync("kill $0; while [ -d /proc/$0 ]; do sleep .1; done; rm -f $1/pid", pid, Home);
        await File.WriteAllLinesAsync(Pids, (await File.ReadAllLinesAsync(Pids)).Where(line => line.Trim() != pid));
    }
}
