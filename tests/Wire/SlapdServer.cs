using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CbaMail.Tests.Wire;

/// <summary>OpenLDAP's slapd with a tree of its own below dc=example,dc=test: a directory of somebody else's making. It can be stopped and started again over its data.</summary>
internal sealed class SlapdServer : IAsyncDisposable
{
    public const string Suffix = "dc=example,dc=test", Admin = "cn=admin,dc=example,dc=test", AdminPassword = "the admin's secret";

    private readonly string folder = System.IO.Directory.CreateTempSubdirectory("cbamail-slapd-").FullName;
    private readonly int port = FreePorts.One(), tlsPort = FreePorts.One();
    private Daemon? daemon;

    public string Url => $"ldap://127.0.0.1:{port}";
    public string TlsUrl => $"ldaps://127.0.0.1:{tlsPort}";
    public string CaFile => Path.Combine(folder, "ca.pem");
    public string StrangersCaFile => Path.Combine(folder, "strangers-ca.pem");
    public string PasswordFile => Path.Combine(folder, "password");

    /// <param name="ldif">Entries below the suffix; ou=people and ou=groups are there already.</param>
    /// <param name="more">Further lines of its configuration: schemas before, "database" lines in <paramref name="ofDatabase"/>.</param>
    public static async Task<SlapdServer> StartAsync(string ldif = "", string more = "", string ofDatabase = "")
    {
        var server = new SlapdServer();
        server.Certify();
        System.IO.Directory.CreateDirectory(Path.Combine(server.folder, "db"));
        await File.WriteAllTextAsync(server.PasswordFile, AdminPassword + "\n");
        await File.WriteAllTextAsync(Path.Combine(server.folder, "slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            include /etc/ldap/schema/nis.schema
            {more}
            attributetype ( 1.3.6.1.4.1.55555.1 NAME 'mailAlternateAddress' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
            attributetype ( 1.3.6.1.4.1.55555.2 NAME 'mailQuota' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
            objectclass ( 1.3.6.1.4.1.55555.3 NAME 'mailPerson' SUP top AUXILIARY MAY ( mailAlternateAddress $ mailQuota ) )
            attributetype ( 1.3.6.1.4.1.55555.5 NAME 'memberAddress' EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
            objectclass ( 1.3.6.1.4.1.55555.6 NAME 'mailGroup' SUP top AUXILIARY MAY ( mail $ displayName $ memberAddress ) )
            pidfile {server.folder}/pid
            modulepath /usr/lib/ldap
            moduleload back_mdb
            TLSCACertificateFile {server.folder}/ca.pem
            TLSCertificateFile {server.folder}/server.pem
            TLSCertificateKeyFile {server.folder}/server.key
            sizelimit size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited
            database mdb
            maxsize 104857600
            suffix "{Suffix}"
            rootdn "cn=root,{Suffix}"
            rootpw "{AdminPassword}"
            directory {server.folder}/db
            dbnosync
            {ofDatabase}
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="{Admin}" read by anonymous auth by * none
            """);
        await File.WriteAllTextAsync(Path.Combine(server.folder, "begin.ldif"), $"""
            dn: {Suffix}
            objectClass: dcObject
            objectClass: organization
            o: Example
            dc: example

            dn: {Admin}
            objectClass: organizationalRole
            objectClass: simpleSecurityObject
            cn: admin
            userPassword: {AdminPassword}

            dn: ou=people,{Suffix}
            objectClass: organizationalUnit
            ou: people

            dn: ou=groups,{Suffix}
            objectClass: organizationalUnit
            ou: groups

            {ldif}
            """);
        (await Tool.RunAsync("slapadd", "-q", "-f", Path.Combine(server.folder, "slapd.conf"), "-l", Path.Combine(server.folder, "begin.ldif"))).Succeeded();
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync() =>
        daemon = await Daemon.StartAsync(new IPEndPoint(IPAddress.Loopback, port), () => "", "slapd", "-d", "none", "-f", Path.Combine(folder, "slapd.conf"), "-h", $"{Url} {TlsUrl}");

    public async Task StopAsync()
    {
        if (daemon is not null) await daemon.DisposeAsync();
        daemon = null;
    }

    /// <summary>Somebody as the schema of OpenLDAP has people.</summary>
    public static string Person(string uid, string? mail = null, string password = "secret", string more = "", string? cn = null) => $"""
        dn: uid={uid},ou=people,{Suffix}
        objectClass: inetOrgPerson
        objectClass: shadowAccount
        objectClass: mailPerson
        uid: {uid}
        cn:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(cn ?? uid))}
        sn: {uid}
        mail: {mail ?? uid + "@example.test"}
        userPassword: {password}
        {more}


        """.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);

    /// <summary>A group of people by their uids.</summary>
    /// <param name="more">Further lines: mail, displayName, memberAddress.</param>
    public static string Group(string name, string more, params string[] uids) => $"""
        dn: cn={name},ou=groups,{Suffix}
        objectClass: groupOfNames
        objectClass: mailGroup
        cn: {name}
        {string.Join('\n', uids.Select(uid => $"member: {(uid.Contains('=', StringComparison.Ordinal) ? uid : $"uid={uid},ou=people,{Suffix}")}"))}
        {more}


        """.Replace("\n\n\n", "\n\n", StringComparison.Ordinal);

    public Task SetGroupAsync(string name, string attribute, params string[] values) =>
        ChangeAsync($"dn: cn={name},ou=groups,{Suffix}\nchangetype: modify\nreplace: {attribute}\n{string.Concat(values.Select(value => $"{attribute}: {value}\n"))}\n");

    /// <summary>Changes, in LDIF with changetype; entries without one are added.</summary>
    public async Task ChangeAsync(string ldif) =>
        (await new Tool { Input = ldif }.StartAsync("ldapmodify", "-a", "-x", "-H", Url, "-D", "cn=root," + Suffix, "-w", AdminPassword)).Succeeded();

    public Task SetAsync(string uid, string attribute, string? value) => ChangeAsync($"dn: uid={uid},ou=people,{Suffix}\nchangetype: modify\nreplace: {attribute}\n{(value is null ? "" : $"{attribute}: {value}\n")}\n");

    public Task RemoveAsync(string uid) => ChangeAsync($"dn: uid={uid},ou=people,{Suffix}\nchangetype: delete\n");

    private void Certify()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = Authority(key);
        using var strangersKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = Authority(strangersKey);
        File.WriteAllText(CaFile, authority.ExportCertificatePem());
        File.WriteAllText(StrangersCaFile, stranger.ExportCertificatePem());
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=slapd", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var bare = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(folder, "server.pem"), bare.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "server.key"), own.ExportPkcs8PrivateKeyPem());
    }

    private static X509Certificate2 Authority(ECDsa key)
    {
        var request = new CertificateRequest("CN=Directory CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(10));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (System.IO.Directory.Exists(folder)) System.IO.Directory.Delete(folder, recursive: true);
    }
}
