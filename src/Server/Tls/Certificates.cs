using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;
using CbaMail.Net;

namespace CbaMail.Tls;

/// <summary>A certificate as <c>tls list</c> and the status tell it.</summary>
/// <param name="DaysLeft">Rounded down; negative when it is over.</param>
/// <param name="Default">For clients that ask for no name, or for one that is not ours.</param>
/// <param name="Problem">What keeps a newer one from being taken, or null.</param>
public sealed record CertificateReport(
    IReadOnlyList<string> Names, string Issuer, string Key, DateTimeOffset Begins, DateTimeOffset Expires, int DaysLeft, CertificateSource Source, string Origin, bool Default, string? Problem);

/// <summary>
/// All certificates of the server. A handshake asks for a name and gets the one that fits: exactly, by a wildcard of one label, else the default.
/// The set is replaced as a whole, so the next handshake of every door has the new one, and nobody is cut off.
/// </summary>
public sealed class Certificates : IDisposable
{
    readonly Settings settings;
    readonly TimeProvider time;
    readonly ILogger log;
    readonly Lock gate = new();
    readonly List<CertificateFile> files = [];
    readonly Dictionary<string, ServedCertificate> issued = new(StringComparer.Ordinal);
    readonly ClientTrust? clients;
    ServedCertificate? own;
    volatile Choice choice;

    /// <summary>What a handshake looks into.</summary>
    sealed record Choice(ServedCertificate Default, FrozenDictionary<string, ServedCertificate> Names);

    /// <exception cref="InvalidOperationException">The configured files are no certificate with its key; the message is a sentence for people.</exception>
    public Certificates(Settings settings, TimeProvider time, ILogger<Certificates> log)
    {
        (this.settings, this.time, this.log) = (settings, time, log);
        if (settings.Tls.Certificate is { } certificate) files.Add(new CertificateFile(certificate, settings.Tls.Key, time));
        foreach (var pair in settings.Tls.Certificates) files.Add(new CertificateFile(pair.Certificate, pair.Key, time));
        foreach (var file in files)
        {
            file.Look();
            if (file.Served is null) throw new InvalidOperationException("tls: " + file.Problem);
        }
        clients = ClientTrust.Of(settings.SignIn.ClientAuthorities);
        choice = Choose();
    }

    /// <summary>Made by the server itself: clients do not trust it unless told to.</summary>
    public bool IsSelfSigned => choice.Default.Source == CertificateSource.SelfSigned;

    public DateTimeOffset Expires => choice.Default.Expires;
    public DateTimeOffset Begins => choice.Default.Begins;
    public string Subject => choice.Default.Leaf.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    /// <summary>The default one.</summary>
    public X509Certificate2 Certificate => choice.Default.Leaf;

    /// <summary>The framework's delegate: options for the name that the client asked for (RFC 6066 3).</summary>
    public ValueTask<SslServerAuthenticationOptions> SelectAsync(SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancel) =>
        ValueTask.FromResult(clients is not null && state is Connection { Listener.Protocol: not (Protocol.Smtp or Protocol.Lmtp) } connection ? clients.Asking(Select(hello.ServerName).Mail, connection) : Select(hello.ServerName).Mail);

    /// <summary>The certificate for a name; the default where the name is empty or nobody's.</summary>
    public ServedCertificate Select(string? name)
    {
        var now = choice;
        if (string.IsNullOrEmpty(name)) return now.Default;
        name = name.TrimEnd('.').ToLowerInvariant();
        if (now.Names.TryGetValue(name, out var exact)) return exact;
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && now.Names.TryGetValue("*" + name[dot..], out var wild) ? wild : now.Default; // RFC 6125 6.4.3
    }

    /// <summary>Looks at the configured files.</summary>
    /// <param name="always">Reads them whether or not their times have changed.</param>
    /// <returns>What is wrong with them; a sentence each.</returns>
    public IReadOnlyList<string> Reload(bool always = false)
    {
        lock (gate)
        {
            foreach (var file in files)
            {
                var before = file.Problem;
                if (file.Look(always)) TlsTelemetry.TookFile(log, file.Path, file.Served!.Expires);
                else if (file.Problem is { } problem && problem != before) TlsTelemetry.NotTaken(log, problem);
            }
            choice = Choose(); // also because time goes on: the self-signed one may have to be renewed
            return [.. files.Select(file => file.Problem).OfType<string>()];
        }
    }

    /// <summary>Puts a certificate of an authority to use.</summary>
    internal void Add(string group, ServedCertificate certificate)
    {
        lock (gate)
        {
            issued[group] = certificate;
            choice = Choose();
        }
    }

    /// <summary>The names of a group are no longer ours.</summary>
    internal void Remove(string group)
    {
        lock (gate)
            if (issued.Remove(group)) choice = Choose();
    }

    /// <summary>The certificate of an authority that is in use for a group.</summary>
    internal ServedCertificate? Issued(string group)
    {
        lock (gate) return issued.GetValueOrDefault(group);
    }

    /// <summary>All of them, the default first.</summary>
    public IReadOnlyList<CertificateReport> List()
    {
        lock (gate)
        {
            var first = choice.Default;
            return [.. All().Append(first).Distinct().OrderBy(one => one == first ? 0 : 1).ThenBy(one => one.Names.Count > 0 ? one.Names[0] : "", StringComparer.Ordinal)
                .Select(one => new CertificateReport(one.Names, Issuer(one.Leaf), one.KeyKind, one.Begins, one.Expires, (int)Math.Floor((one.Expires - time.GetUtcNow()).TotalDays),
                    one.Source, one.Origin, one == first, files.FirstOrDefault(file => file.Served == one)?.Problem))];
        }
    }

    static string Issuer(X509Certificate2 leaf) => leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: true);

    IEnumerable<ServedCertificate> All() => files.Select(file => file.Served).OfType<ServedCertificate>().Concat(issued.Values);

    Choice Choose()
    {
        var names = new Dictionary<string, ServedCertificate>(StringComparer.Ordinal);
        foreach (var one in All())
            foreach (var name in one.Names)
                if (!names.TryGetValue(name, out var other) || IsBetter(one, other)) names[name] = one;
        var first = files.Count > 0 ? files[0].Served!
            : names.TryGetValue(settings.Hostname, out var host) ? host
            : own = IsUsable(own) ? own! : SelfSigned.Get(settings, time, log);
        return new(first, names.ToFrozenDictionary(StringComparer.Ordinal));
    }

    bool IsUsable(ServedCertificate? certificate) => certificate is not null && certificate.IsValidAt(time.GetUtcNow()) && certificate.Expires > time.GetUtcNow().AddDays(30);

    /// <summary>Of two for one name: the valid one, the administrator's own, ECDSA (a twentieth of RSA's work), the longer one.</summary>
    bool IsBetter(ServedCertificate one, ServedCertificate other)
    {
        var now = time.GetUtcNow();
        if (one.IsValidAt(now) != other.IsValidAt(now)) return one.IsValidAt(now);
        if (one.Source != other.Source) return one.Source == CertificateSource.File;
        return one.IsEcdsa != other.IsEcdsa ? one.IsEcdsa : one.Expires > other.Expires;
    }

    public void Dispose() => own?.Leaf.Dispose();
}
