using System.Security.Cryptography.X509Certificates;
using CbaMail.Config;

namespace CbaMail.Federation.Ldap;

/// <summary>The files that the settings of a directory name.</summary>
static class LdapFiles
{
    /// <summary>Who issues the servers' certificates; null: whom this machine trusts.</summary>
    /// <exception cref="LdapTrouble">The file cannot be read, or holds none.</exception>
    public static X509Certificate2Collection? Authorities(LdapSettings settings)
    {
        if (settings.CaFile.Length == 0) return null;
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPemFile(settings.CaFile);
            return all.Count > 0 ? all : throw new LdapTrouble($"{settings.CaFile} holds no certificate");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new LdapTrouble($"{settings.CaFile} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The password of <c>bind-dn</c>.</summary>
    /// <exception cref="LdapTrouble">The file cannot be read, or is empty.</exception>
    public static async Task<string> PasswordAsync(LdapSettings settings, CancellationToken cancel)
    {
        string password;
        try { password = (await File.ReadAllTextAsync(settings.BindPasswordFile, cancel)).TrimEnd('\r', '\n'); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { throw new LdapTrouble($"{settings.BindPasswordFile} cannot be read: {e.Message}", e); }
        return password.Length > 0 ? password : throw new LdapTrouble($"{settings.BindPasswordFile} is empty");
    }
}

/// <summary>Looks at what the settings of directories name, before a start.</summary>
public static class LdapLook
{
    /// <summary>What is wrong with a file that is named, or null. No directory is asked.</summary>
    public static async Task<string?> ProblemAsync(Settings settings, CancellationToken cancel = default)
    {
        foreach (var one in settings.Directory.Ldap)
        {
            try
            {
                LdapFiles.Authorities(one);
                if (one.BindDn.Length > 0) await LdapFiles.PasswordAsync(one, cancel);
            }
            catch (LdapTrouble e) { return $"directory.ldap ({one.Name}): {e.Message}"; }
        }
        return null;
    }
}
