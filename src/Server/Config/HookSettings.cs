using System.Net;

namespace CbaMail.Config;

/// <summary>When a hook is asked.</summary>
public enum HookMoment
{
    /// <summary>A client has connected.</summary>
    Connect,
    /// <summary>It has said EHLO or HELO.</summary>
    Hello,
    /// <summary>MAIL FROM.</summary>
    Sender,
    /// <summary>Each RCPT TO.</summary>
    Recipient,
    /// <summary>The text has come whole.</summary>
    Message,
}

/// <summary>One hook: an address of the web that is asked about mail, in JSON (docs: filters). Hooks are asked after milters, in the order of the list.</summary>
public sealed record HookSettings : IChecked
{
    /// <summary>For the log and for whoever answers. Default: the address.</summary>
    public string Name { get; init; } = "";

    /// <summary>Where questions are posted: https, or http to this machine alone. Required.</summary>
    public string Url { get; init; } = "";

    /// <summary>By which each question is signed (HMAC-SHA256), so that whoever answers knows that we ask. Default none: questions are not signed.</summary>
    public string Secret { get; init; } = "";

    /// <summary>When it is asked: connect, hello, sender, recipient, message. Default message.</summary>
    public IReadOnlyList<HookMoment> Moments { get; init; } = [HookMoment.Message];

    /// <summary>Whose mail it is asked about: smtp (strangers), submission (our own people), lmtp. Default smtp and submission.</summary>
    public IReadOnlyList<FilteredMail> For { get; init; } = [FilteredMail.Smtp, FilteredMail.Submission];

    /// <summary>What becomes of mail while it does not answer: accept, tempfail, reject or quarantine. Default tempfail.</summary>
    public FilterFailure OnFailure { get; init; } = FilterFailure.Tempfail;

    /// <summary>How long an answer may take, waiting for a free place included. Default 10 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many bytes of the body are shown at most. Default 0: fields only.</summary>
    public long Body { get; init; }

    /// <summary>How many questions are asked at the same time. Default 32.</summary>
    public int Concurrency { get; init; } = 32;

    internal string Title => Name.Length > 0 ? Name : Url;

    string? IChecked.Problem() => Problem();

    /// <summary>What is wrong with it, in a sentence, or null.</summary>
    internal string? Problem()
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            return $"\"{Url}\" is no address of a hook: write as in https://filter.example.org/mail";
        if (uri.Scheme == "http" && !IsHere(uri)) return $"the hook {Title} would be asked in clear text over the network; write https";
        if (Timeout <= TimeSpan.Zero) return $"the hook {Title} has a timeout of nothing; leave the key out for the default";
        if (Concurrency is < 1 or > 1000) return $"the hook {Title} has concurrency {Concurrency}; write 1 to 1000";
        return Body is < 0 or > 100 << 20 ? $"the hook {Title} is to be shown {Body} bytes of the body; write at most 100M" : null;
    }

    static bool IsHere(Uri uri) => uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
