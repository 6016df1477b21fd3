using System.Diagnostics.CodeAnalysis;

namespace CbaMail.Envelope;

/// <summary>A value, or the refusal that stands in its place.</summary>
public readonly record struct Result<T>(T? Value, Refusal? Refusal)
{
    /// <summary>Whether there is a value.</summary>
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool Ok => Refusal is null;

    public static implicit operator Result<T>(T value) => new(value, null);
    public static implicit operator Result<T>(Refusal refusal) => new(default, refusal);
}
