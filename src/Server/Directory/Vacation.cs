using System.Text.Json.Serialization;

namespace CbaMail.Directory;

/// <summary>What is answered for somebody who is away.</summary>
public sealed record Vacation
{
    /// <summary>Days between two answers to one sender where nothing else is said (RFC 5230 4.1).</summary>
    public const int UsualDays = 7;

    public bool Enabled { get; init; }

    /// <summary>From then on; null: at once.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Until then; null: until it is switched off.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Null: "Auto:" and the subject of what is answered.</summary>
    public string? Subject { get; init; }

    public string Text { get; init; } = "";

    /// <summary>The same in HTML, or null.</summary>
    public string? Html { get; init; }

    /// <summary>What senders of the account's own domain read in place of <see cref="Text"/>; or null.</summary>
    public string? DomainText { get; init; }

    /// <summary>A sender is answered once in so many days.</summary>
    public int? Days { get; init; }

    /// <summary>Addresses beside its own and its aliases to which mail for it is sent.</summary>
    public IReadOnlyList<string>? Addresses { get; init; }

    [JsonIgnore] public TimeSpan Pause => TimeSpan.FromDays(Days ?? UsualDays);

    public bool IsOn(DateTimeOffset now) => Enabled && !(now < From) && !(Until <= now);
}

/// <summary>A forwarding that its target has yet to agree to.</summary>
/// <param name="Digest">SHA-256 of the code that was sent there.</param>
public sealed record PendingForward(string Address, string Digest, DateTimeOffset Until);
