using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace CbaMail.Envelope;

/// <summary>How a sentence was put together: <c>The domain {0} is there already</c>, and what stands in its gaps.</summary>
public sealed class Wording(string pattern, IReadOnlyList<string> parts) : IEquatable<Wording>
{
    /// <summary>With gaps <c>{0}</c>, <c>{1}</c>; braces of the text itself are doubled.</summary>
    public string Pattern => pattern;

    public IReadOnlyList<string> Parts => parts;

    /// <summary>The same in another language.</summary>
    public string By(string other) => string.Format(CultureInfo.InvariantCulture, other, [.. parts]);

    public bool Equals(Wording? other) => other is not null && other.Pattern == pattern && other.Parts.SequenceEqual(parts);
    public override bool Equals(object? obj) => Equals(obj as Wording);
    public override int GetHashCode() => pattern.GetHashCode(StringComparison.Ordinal);
}

/// <summary>Collects an interpolated string as the text that it makes and as its pattern.</summary>
[InterpolatedStringHandler]
public ref struct SentenceBuilder(int literalLength, int formattedCount)
{
    readonly StringBuilder pattern = new(literalLength + formattedCount * 3), text = new(literalLength + formattedCount * 16);
    readonly List<string> parts = new(formattedCount);

    public readonly void AppendLiteral(string value)
    {
        pattern.Append(value.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal));
        text.Append(value);
    }

    public readonly void AppendFormatted<T>(T value) => AppendFormatted(value, null);

    public readonly void AppendFormatted<T>(T value, string? format)
    {
        var part = value is IFormattable formattable ? formattable.ToString(format, CultureInfo.InvariantCulture) : value?.ToString() ?? "";
        pattern.Append(CultureInfo.InvariantCulture, $"{{{parts.Count}}}");
        parts.Add(part);
        text.Append(part);
    }

    internal readonly string Text(out Wording wording)
    {
        wording = new(pattern.ToString(), parts);
        return text.ToString();
    }
}
