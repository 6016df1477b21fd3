using System.Text;

namespace CbaMail.MailAuth.Dkim;

/// <summary>The record of a public key in DNS (RFC 6376 3.6.1). g= of older editions means nothing; n= is for people.</summary>
public sealed record DkimRecord
{
    const int MaxLength = 16 << 10;

    /// <summary>k=: the type of the key, "rsa" where nothing is said.</summary>
    public string KeyType { get; private init; } = "rsa";
    /// <summary>h=: the hashes that may be used; null for all.</summary>
    public IReadOnlyList<string>? Hashes { get; private init; }
    /// <summary>s=: the services that the key is for.</summary>
    public IReadOnlyList<string> Services { get; private init; } = ["*"];
    /// <summary>t=y: the domain tries DKIM out; a failure is to be taken as no signature.</summary>
    public bool Testing { get; private init; }
    /// <summary>t=s: i= must have the domain of d= itself.</summary>
    public bool Strict { get; private init; }
    /// <summary>The key; empty where it was revoked.</summary>
    public ReadOnlyMemory<byte> Key { get; private init; }
    public string? Notes { get; private init; }

    public bool IsRevoked => Key.IsEmpty;
    /// <summary>Whether mail may be signed with the key.</summary>
    public bool IsForMail => Services.Any(s => s == "*" || s.Equals("email", StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a TXT record; null and a reason where it is no key that could be used.</summary>
    public static DkimRecord? Parse(string text, out string problem)
    {
        problem = "it is too long";
        if (text.Length > MaxLength) return null;
        var tags = TagList.Parse(Encoding.UTF8.GetBytes(text), out problem);
        if (tags is null) return null;
        // RFC 6376 3.6.1: v= may be missing; it stands first, and "DKIM1" is compared as it is
        var version = tags.Find("v");
        if (version is not null && (tags.Tags[0] != version || tags.Text("v") != "DKIM1"))
        {
            problem = "v= is not DKIM1, or does not stand first";
            return null;
        }

        if (!tags.TryGet("p", out var p))
        {
            problem = "p= is missing";
            return null;
        }

        if (!TagList.TryBase64(p, out var key))
        {
            problem = "p= is not base64";
            return null;
        }

        var flags = tags.Words("t") ?? [];
        return new()
        {
            KeyType = tags.Text("k") ?? "rsa",
            Hashes = tags.Words("h"),
            Services = tags.Words("s") ?? ["*"],
            Testing = flags.Contains("y", StringComparer.OrdinalIgnoreCase),
            Strict = flags.Contains("s", StringComparer.OrdinalIgnoreCase),
            Key = key,
            Notes = tags.Text("n"),
        };
    }
}
