using System.Security.Cryptography;
using CbaMail.Envelope;

namespace CbaMail.Directory;

/// <summary>How domains show themselves.</summary>
public sealed partial class UserDirectory
{
    const int LongestHost = 253;

    /// <summary>The domain whose branding a page at this host shows: its own, or the nearest above; where that is another name of a domain and has none, that domain. Null: none of ours.</summary>
    public Domain? FindBranded(string host)
    {
        if (host.Length > LongestHost) return null;
        for (var rest = host; ; rest = rest[(rest.IndexOf('.', StringComparison.Ordinal) + 1)..])
        {
            if (FindDomain(rest) is { } domain) return domain is { Profile.Branding: null, AliasOf: { } real } ? FindDomain(real) : domain;
            if (!rest.Contains('.', StringComparison.Ordinal)) return null;
        }
    }

    /// <summary>The logo of the domain, or null.</summary>
    public byte[]? LogoOf(Domain domain)
    {
        if (domain.Profile.Branding?.Logo is null) return null;
        using var read = store.Read();
        return LogoTable.Find(read, domain.Id);
    }

    /// <summary>Changes what is shown.</summary>
    /// <param name="change">Of what there is; what is empty in the end is none. <see cref="Branding.Logo"/> is left as it is, or made null.</param>
    /// <param name="logo">A new one, or null.</param>
    public async ValueTask<Result<Domain>> SetBrandingAsync(string name, Func<Branding, Branding> change, byte[]? logo, CancellationToken cancel = default)
    {
        if (FindDomain(name) is not { } domain) return NoDomain(name);
        if (logo is not null && (logo.Length > Branding.LargestLogo || Branding.TypeOf(logo) is null)) return Refusal.Invalid.Because($"A logo is a PNG, JPEG or WebP of at most {Branding.LargestLogo >> 10} KB").At("logo");
        Refusal? wrong = null;
        var changed = await store.CommitAsync(write =>
        {
            if (DirectoryTable.FindDomain(write, domain.Id) is not { } old) return null;
            var wanted = change(old.Profile.Branding ?? new Branding());
            if (logo is not null) wanted = wanted with { Logo = Convert.ToHexStringLower(SHA256.HashData(logo).AsSpan(0, 8)) };
            if ((wrong = wanted.Wrong()) is not null) return null;
            if (logo is not null) LogoTable.Set(write, domain.Id, logo);
            else if (wanted.Logo is null) LogoTable.Remove(write, domain.Id);
            var next = old with { Profile = old.Profile with { Branding = wanted == new Branding() ? null : wanted } };
            DirectoryTable.SetDomain(write, next);
            write.OnCommitted(() => domains[next.Name] = next);
            return next;
        }, cancel);
        return changed is not null ? changed : wrong ?? NoDomain(name);
    }
}
