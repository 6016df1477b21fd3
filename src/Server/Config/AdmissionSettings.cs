using System.Globalization;

namespace CbaMail.Config;

/// <summary>How people come in: invitations, signing up, and back in when the password is forgotten.</summary>
public sealed record AdmissionSettings : IChecked
{
    /// <summary>
    /// Where people find the pages of this server: what links in mail and on printed pages begin with, as in <c>https://mail.example.org</c>. It is never
    /// taken from a request. Default: <c>https://</c>, the hostname, and the port where HTTPS listens at another than 443; in the evaluation profile without a hostname the address and port of HTTP.
    /// </summary>
    public string Url { get; init; } = "";

    /// <summary>Attempts to join or to sign up from one address (IPv6: one /64), as in <c>60/1h</c>: a class joins from one address. Default 60/1h; in the evaluation profile off.</summary>
    public Rate? JoinRate { get; init; }

    /// <summary>Links that are none, from one address: who asks for more hears 429 for the right ones too. Default 20/1h; in the evaluation profile off.</summary>
    public Rate? WrongLinkRate { get; init; }

    /// <summary>Requests for a new password from one address. Default 10/1h; in the evaluation profile off.</summary>
    public Rate? ResetRate { get; init; }

    /// <summary>How many links for a new password one account gets in a day. Default 3.</summary>
    public int ResetsPerDay { get; init; } = 3;

    /// <summary>How long such a link is good for. Default 30 minutes.</summary>
    public TimeSpan ResetLasts { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// The roles that may take a new password by their recovery address: <c>user</c>, <c>course-manager</c>, <c>domain-admin</c>, <c>admin</c>. Whoever stands
    /// above is worth more to a thief than the mailbox that the link goes to. Default user.
    /// </summary>
    public IReadOnlyList<string> ResetFor { get; init; } = ["user"];

    /// <summary>How long somebody who has signed up waits for an answer before he is forgotten. Default 14 days.</summary>
    public TimeSpan SignUpWaits { get; init; } = TimeSpan.FromDays(14);

    /// <summary>How many people of one domain may wait at once. Default 1000.</summary>
    public int MostSignUps { get; init; } = 1000;

    /// <summary>How often those who may let people in are told by mail that somebody waits: all who have come meanwhile in one message. Default 1 hour.</summary>
    public TimeSpan TellEvery { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long mail programs may still sign in by a password that is to be changed. Default 0: not at all.</summary>
    public TimeSpan ChangeGrace { get; init; } = TimeSpan.Zero;

    static readonly Rate twenty = new(20, TimeSpan.FromHours(1));

    internal Rate Joins(bool evaluation) => JoinRate ?? (evaluation ? Rate.None : new Rate(60, TimeSpan.FromHours(1)));
    internal Rate WrongLinks(bool evaluation) => WrongLinkRate ?? (evaluation ? Rate.None : twenty);
    internal Rate Resets(bool evaluation) => ResetRate ?? (evaluation ? Rate.None : new Rate(10, TimeSpan.FromHours(1)));

    /// <summary>The name by which mail programs find this server: its own, or in an evaluation where none was given the address that it listens at, as nobody finds the one that it calls itself by.</summary>
    internal string Host(Settings settings) => !IsNameless(settings) ? settings.Hostname
        : settings.Listeners.FirstOrDefault(listener => listener.Protocol is Protocol.Imaps or Protocol.Imap or Protocol.Http) is { } door ? Bare(door.Address) : "localhost";

    static bool IsNameless(Settings settings) => settings.Evaluation && settings.Hostname == EvaluationProfile.Hostname;

    static string Bare(string address) => address is "::" or "0.0.0.0" ? "localhost" : address;

    static string Authority(string address) => Bare(address) is var host && host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;

    /// <summary>What links begin with, without a slash at the end. It is never taken from a request: who asks for somebody else's new password would say where the link leads.</summary>
    internal string Root(Settings settings)
    {
        if (Url.Length > 0) return Url.TrimEnd('/');
        if (IsNameless(settings) && settings.Listeners.FirstOrDefault(listener => listener.Protocol == Protocol.Http) is { } near) return $"http://{Authority(near.Address)}" + Port(near.Port, 80);
        if (settings.Listeners.FirstOrDefault(listener => listener.Protocol == Protocol.Https) is { } https) return "https://" + settings.Hostname + Port(https.Port, 443);
        return settings.Listeners.FirstOrDefault(listener => listener.Protocol == Protocol.Http) is { } http && settings.Evaluation ? "http://" + settings.Hostname + Port(http.Port, 80) : "https://" + settings.Hostname;
    }

    static string Port(int port, int usual) => port == usual ? "" : ":" + port.ToString(CultureInfo.InvariantCulture);

    public string? Problem()
    {
        if (Url.Length > 0 && !(Uri.TryCreate(Url, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0))
            return $"admission.url: \"{Url}\" is no address of the web; write it as in https://mail.example.org";
        if (ResetFor.FirstOrDefault(one => one is not ("user" or "course-manager" or "domain-admin" or "admin")) is { } nobody) return $"admission.reset-for: \"{nobody}\" is no role; the roles are user, course-manager, domain-admin, admin";
        if (ResetsPerDay is < 0 or > 1000) return "admission.resets-per-day is between 0 and 1000";
        if (ResetLasts < TimeSpan.FromMinutes(1) || ResetLasts > TimeSpan.FromDays(1)) return "admission.reset-lasts is between a minute and a day";
        if (MostSignUps is < 0 or > 100_000) return "admission.most-sign-ups is between 0 and 100000";
        return TellEvery < TimeSpan.FromMinutes(1) ? "admission.tell-every is a minute at least" : null;
    }
}
