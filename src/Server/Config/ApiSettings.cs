namespace CbaMail.Config;

/// <summary>The REST API at HTTPS.</summary>
public sealed record ApiSettings
{
    /// <summary>Whether it is there at all; the control socket always is. Default yes.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Requests of one key or one account, as in <c>600/m</c>; who asks more hears 429 with Retry-After. Default 1200/m; in the evaluation profile off.</summary>
    public Rate? Rate { get; init; }

    /// <summary>Changes that one user makes of his own (roles above him are not held to it): each leaves an entry in the audit log. Default 600/1h; in the evaluation profile off.</summary>
    public Rate? ChangeRate { get; init; }

    internal Rate Changes(bool evaluation) => ChangeRate ?? (evaluation ? Config.Rate.None : new Rate(600, TimeSpan.FromHours(1)));

    internal Rate Requests(bool evaluation) => Rate ?? (evaluation ? Config.Rate.None : new Rate(1200, TimeSpan.FromMinutes(1)));
}
