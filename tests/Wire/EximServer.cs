using System.Net;

namespace CbaMail.Tests.Wire;

/// <summary>
/// Debian's Exim with a configuration, a spool and mailboxes of its own, at port 25 of an address of its own. It obeys DANE, signs by DKIM,
/// writes what SPF and DKIM say into Authentication-Results, relays for 127.0.0.1, and tries again every second.
/// </summary>
internal sealed class EximServer : IAsyncDisposable
{
    /// <summary>Debian has Postfix or Exim installed, never both: <c>./test</c> unpacks this one, and installs the libraries that it needs.</summary>
    public const string Unpacked = "/var/cache/cbamail-test/exim4/usr/sbin/exim4";

    private readonly Daemon daemon;

    private readonly string[] own;

    private EximServer(Daemon daemon, string folder, string[] own) => (this.daemon, Folder, this.own) = (daemon, folder, own);

    public string Folder { get; }
    public string Log => Read(Folder);

    /// <summary>The program, or null where ./test has not unpacked it yet.</summary>
    public static string? Program => File.Exists(Unpacked) ? Unpacked : null;

    private static string Read(string folder) => string.Concat(System.IO.Directory.GetFiles(Path.Combine(folder, "log")).Order(StringComparer.Ordinal).Select(File.ReadAllText));

    /// <param name="domain">Its mail domain, whose key of DKIM is <paramref name="dkim"/> with the selector <c>exim</c>.</param>
    /// <param name="people">Local parts with a mailbox.</param>
    /// <param name="aliases">Local parts that stand for addresses.</param>
    /// <param name="more">Further lines of the main part of its configuration.</param>
    public static async Task<EximServer> StartAsync(IPAddress address, string hostname, string domain, string pem, string dkim, IPAddress resolver, string[] people, (string From, string To)[] aliases, string more)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-exim-").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)493); // it changes its user
        foreach (var part in new[] { "spool", "mail", "log" }) System.IO.Directory.CreateDirectory(Path.Combine(folder, part));
        var prefix = await OwnMounts.PrefixAsync(folder, resolver);
        await File.WriteAllTextAsync(Path.Combine(folder, "tls.pem"), pem);
        await File.WriteAllTextAsync(Path.Combine(folder, "dkim.pem"), dkim);
        await File.WriteAllTextAsync(Path.Combine(folder, "aliases"), string.Concat(aliases.Select(one => $"{one.From}: {one.To}\n")));
        await File.WriteAllTextAsync(Path.Combine(folder, "exim.conf"), $"exim_path = {Program}\nOWN_FOLDER = {folder}\nOWN_NAME = {hostname}\nOWN_DOMAIN = {domain}\nOWN_ADDRESS = {address}\nOWN_PEOPLE = {string.Join(" : ", people)}\n{more}\n" + """
            keep_environment =
            primary_hostname = OWN_NAME
            qualify_domain = OWN_DOMAIN
            local_interfaces = OWN_ADDRESS
            daemon_smtp_ports = 25
            spool_directory = OWN_FOLDER/spool
            log_file_path = OWN_FOLDER/log/%slog
            pid_file_path = OWN_FOLDER/exim.pid
            log_selector = +tls_cipher +tls_certificate_verified +dnssec +received_recipients +received_sender +smtp_protocol_error +outgoing_interface -queue_run
            deliver_drop_privilege = true
            domainlist local_domains = OWN_DOMAIN
            hostlist relay_from_hosts = 127.0.0.1
            tls_certificate = OWN_FOLDER/tls.pem
            tls_privatekey = OWN_FOLDER/tls.pem
            tls_advertise_hosts = *
            host_lookup =
            rfc1413_hosts =
            delay_warning =
            ignore_bounce_errors_after = 0s
            dns_dnssec_ok = 1
            acl_smtp_rcpt = acl_rcpt
            acl_smtp_data = acl_data

            begin acl
            acl_rcpt:
              accept hosts = +relay_from_hosts
              deny   message = relay not permitted
                     domains = ! +local_domains
              warn   spf = pass : fail : softfail : none : neutral : permerror : temperror
              require message = 5.1.1 unknown user
                     verify = recipient
              accept

            acl_data:
              accept hosts = +relay_from_hosts
              warn   add_header = :at_start:${authresults {$primary_hostname}}
              accept

            begin routers
            remote:
              driver = dnslookup
              domains = ! +local_domains
              transport = remote_smtp
              dnssec_request_domains = *
              no_more
            aliases:
              driver = redirect
              data = ${lookup {$local_part} lsearch {OWN_FOLDER/aliases}}
            local:
              driver = accept
              local_parts = OWN_PEOPLE
              transport = maildir

            begin transports
            remote_smtp:
              driver = smtp
              interface = OWN_ADDRESS
              helo_data = OWN_NAME
              hosts_try_dane = *
              dkim_domain = ${if eq {${domain:$h_from:}}{OWN_DOMAIN} {OWN_DOMAIN}}
              dkim_selector = exim
              dkim_private_key = OWN_FOLDER/dkim.pem
              dkim_canon = relaxed
            maildir:
              driver = appendfile
              directory = OWN_FOLDER/mail/$local_part_data
              create_directory
              maildir_format
              envelope_to_add
              return_path_add
              delivery_date_add

            begin retry
            * * F,1h,1s

            """);
        var user = (await OwnMounts.UserAsync(folder, "Debian-exim")).ToString(null as IFormatProvider);
        (await Tool.RunAsync("chown", ["-R", $"{user}:{user}", .. new[] { "spool", "mail", "log", "tls.pem", "dkim.pem" }.Select(part => Path.Combine(folder, part))])).Succeeded();
        string[] own = [.. prefix, Program!, "-C", Path.Combine(folder, "exim.conf")];
        return new EximServer(await Daemon.StartAsync(new IPEndPoint(address, 25), () => Read(folder), [.. own, "-bdf", "-q1s"]), folder, own);
    }

    public List<string> Mail(string person) => Maildir.All(Path.Combine(Folder, "mail", person));

    private IEnumerable<string> Waiting() => System.IO.Directory.Exists(Path.Combine(Folder, "spool/input")) ? System.IO.Directory.GetFiles(Path.Combine(Folder, "spool/input"), "*-H", SearchOption.AllDirectories) : [];

    /// <summary>The heads of what waits.</summary>
    public List<string> Queue() => [.. Waiting().Select(ReadIfThere).Where(text => text.Length > 0)];

    private static string ReadIfThere(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return ""; // it has just left
        }
    }

    /// <summary>Empties the queue.</summary>
    public async Task DropAsync()
    {
        // a message that is being tried cannot be removed at that moment
        await Wait.UntilAsync(async () =>
        {
            foreach (var file in Waiting().ToList()) await Tool.RunAsync(own[0], [.. own[1..], "-Mrm", Path.GetFileName(file)[..^2]]);
            return !Waiting().Any();
        }, "Exim's queue is empty");
    }

    public async ValueTask DisposeAsync()
    {
        await daemon.DisposeAsync();
        System.IO.Directory.Delete(Folder, recursive: true);
    }
}
