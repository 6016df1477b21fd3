namespace CbaMail.Mjml;

/// <summary>Something that is to be said about a document.</summary>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based, in characters.</param>
public sealed record MjmlMessage(int Line, int Column, string Sentence)
{
    public override string ToString() => $"line {Line}, column {Column}: {Sentence}";
}

/// <summary>What came of a document.</summary>
/// <param name="Html">Null where there is an error.</param>
/// <param name="Errors">What must be mended.</param>
/// <param name="Warnings">What was passed over: an attribute that its component does not have, a size without a unit.</param>
public sealed record MjmlResult(string? Html, IReadOnlyList<MjmlMessage> Errors, IReadOnlyList<MjmlMessage> Warnings);
