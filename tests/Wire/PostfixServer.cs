using System.Net;

namespace CbaMail.Tests.Wire;

/// <summary>
/// Debian's Postfix with a configuration, a queue and mailboxes of its own, at port 25 of an address of its own. It is a sender and a receiver
/// that obeys DANE, relays for 127.0.0.1, and tries again after five seconds.
/// </summary>
internal sealed class PostfixServer : IAsyncDisposable
{
    private readonly Daemon daemon;

    private PostfixServer(Daemon daemon, string folder) => (this.daemon, Folder) = (daemon, folder);

    public string Folder { get; }
    public string Log => Read(Folder);

    private static string Read(string folder) => File.Exists(Path.Combine(folder, "log/mail.log")) ? File.ReadAllText(Path.Combine(folder, "log/mail.log")) : "";

    /// <param name="people">Addresses with a mailbox.</param>
    /// <param name="aliases">Addresses that stand for others.</param>
    /// <param name="more">Further lines of main.cf.</param>
    public static async Task<PostfixServer> StartAsync(IPAddress address, string hostname, string pem, IPAddress resolver, string[] people, (string From, string To)[] aliases, string more)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-postfix-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)493); // its processes change their user
        foreach (var part in new[] { "etc", "queue", "data", "mail", "log" }) System.IO.Directory.CreateDirectory(Path.Combine(folder, part));
        var prefix = await OwnMounts.PrefixAsync(folder, resolver);
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.pem"), pem);
        await File.WriteAllTextAsync(Path.Combine(folder, "etc/people"), string.Concat(people.Select(one => $"{one} {one}/\n")));
        await File.WriteAllTextAsync(Path.Combine(folder, "etc/aliases"), string.Concat(aliases.Select(one => $"{one.From} {one.To}\n")));
        var domain = hostname[(hostname.IndexOf('.') + 1)..];
        var domains = people.Concat(aliases.Select(one => one.From)).Select(one => one[(one.LastIndexOf('@') + 1)..]).Distinct();
        // Not sooner than five seconds: a delivery agent reports first and lets go of the queue file then. Where the queue manager comes again before that, it
        // puts the message, as one still under way, back among the incoming with a time stamp of a minute ahead, and looks there only when other mail comes.
        await File.WriteAllTextAsync(Path.Combine(folder, "etc/main.cf"), $"""
            compatibility_level = 3.6
            queue_directory = {folder}/queue
            data_directory = {folder}/data
            command_directory = /usr/sbin
            daemon_directory = /usr/lib/postfix/sbin
            mail_owner = postfix
            setgid_group = postdrop
            maillog_file = {folder}/log/mail.log
            maillog_file_prefixes = {folder}
            inet_interfaces = 127.0.0.1
            proxy_interfaces = {address}
            inet_protocols = ipv4
            smtp_bind_address = {address}
            myhostname = {hostname}
            mydomain = {domain}
            myorigin = {domain}
            mydestination =
            mynetworks = 127.0.0.1/32
            alias_maps =
            alias_database =
            virtual_mailbox_domains = {string.Join(", ", domains)}
            virtual_mailbox_base = {folder}/mail
            virtual_mailbox_maps = texthash:{folder}/etc/people
            virtual_alias_maps = texthash:{folder}/etc/aliases
            virtual_uid_maps = static:65534
            virtual_gid_maps = static:65534
            virtual_minimum_uid = 1
            virtual_mailbox_limit = 0
            smtputf8_enable = yes
            smtpd_tls_chain_files = {folder}/tls.pem
            smtpd_tls_security_level = may
            smtpd_tls_received_header = yes
            smtpd_tls_loglevel = 1
            smtp_tls_loglevel = 1
            smtp_tls_security_level = dane
            smtp_dns_support_level = dnssec
            minimal_backoff_time = 5s
            maximal_backoff_time = 5s
            queue_run_delay = 1s
            {more}

            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "etc/master.cf"), $"""
            {address}:smtp inet n - n - - smtpd
            pickup unix n - n 60 1 pickup
            cleanup unix n - n - 0 cleanup
            qmgr unix n - n 300 1 qmgr
            tlsmgr unix - - n 1000? 1 tlsmgr
            rewrite unix - - n - - trivial-rewrite
            bounce unix - - n - 0 bounce
            defer unix - - n - 0 bounce
            trace unix - - n - 0 bounce
            verify unix - - n - 1 verify
            flush unix n - n 1000? 0 flush
            proxymap unix - - n - - proxymap
            proxywrite unix - - n - 1 proxymap
            smtp unix - - n - - smtp
            relay unix - - n - - smtp
            showq unix n - n - - showq
            error unix - - n - - error
            retry unix - - n - - error
            discard unix - - n - - discard
            virtual unix - n n - - virtual
            anvil unix - - n - 1 anvil
            scache unix - - n - 1 scache
            postlog unix-dgram n - n - 1 postlogd

            """);
        (await Tool.RunAsync("chown", (await OwnMounts.UserAsync(folder, "postfix")).ToString(null as IFormatProvider), Path.Combine(folder, "data"))).Succeeded();
        (await Tool.RunAsync("chown", "65534", Path.Combine(folder, "mail"))).Succeeded();
        return new PostfixServer(await Daemon.StartAsync(new IPEndPoint(address, 25), () => Read(folder), [.. prefix, Tool.Find("postfix"), "-c", Path.Combine(folder, "etc"), "start-fg"]), folder);
    }

    public List<string> Mail(string person) => Maildir.All(Path.Combine(Folder, "mail", person));

    /// <summary>What waits, as <c>postqueue -j</c> has it: a line a message.</summary>
    public async Task<string> QueueAsync() => (await Tool.RunAsync("postqueue", "-c", Path.Combine(Folder, "etc"), "-j")).Succeeded().Output;

    /// <summary>Empties the queue.</summary>
    public async Task DropAsync() => (await Tool.RunAsync("postsuper", "-c", Path.Combine(Folder, "etc"), "-d", "ALL")).Succeeded();

    public async ValueTask DisposeAsync()
    {
        await daemon.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}
