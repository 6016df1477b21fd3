using System.Text;
using CbaMail.Net;
using CbaMail.Storage.Search;
using CbaMail.Text;

namespace CbaMail.Mailboxes.Search;

/// <summary>Puts the words of one message into a segment, in the form of <see cref="Casemap"/>.</summary>
static class Indexing
{
    /// <summary>Characters of one message that are taken into the index; a longer one is a candidate always, and looked at.</summary>
    public const int MostText = 1 << 20;

    /// <returns>False where memory has become short: then nothing of the message is there.</returns>
    public static bool Add(SegmentBuilder builder, DocumentId id, MessageText text, MemoryGate? memory)
    {
        builder.Begin(id);
        using var words = new Words(builder, memory);
        foreach (var field in text.Header)
        {
            if (Ascii.IsValid(field.Name)) builder.Add(Section.Names, field.Name.ToUpperInvariant());
            else words.IsWhole = false;
            var value = field.Value;
            if (Sections.OfField(field.Name) is { } section)
            {
                words.Value(section, value);
                foreach (var address in MessageText.PlainAddresses(field, value)) words.Value(section, address);
            }
            else words.Text(value);
        }
        foreach (var field in text.PartFields) words.Text(field);
        words.IsBody = true;
        text.GiveBodies(words);
        if (words.IsStopped && builder.Documents > 1)
        {
            builder.Cancel();
            return false;
        }
        if (!words.IsWhole || words.IsStopped || text.IsDamaged || text.IsCut) builder.Add(Section.Marks, SearchMarks.Partial);
        return true;
    }

    sealed class Words(SegmentBuilder builder, MemoryGate? memory) : WordTaker
    {
        int left = MostText;

        /// <summary>Nothing has been left out.</summary>
        public bool IsWhole { get; set; } = true;

        public bool IsBody { get; set; }

        /// <summary>Memory was short.</summary>
        public bool IsStopped { get; private set; }

        public void Value(Section section, string value)
        {
            var whole = IsOrdinary(value);
            value = Casemap.Key(value);
            left -= value.Length;
            whole &= value.Length <= Sections.Value && !value.Contains('\n');
            builder.Add(section, whole ? value : value[..Math.Min(value.Length, Sections.Value)].Replace('\n', ' '));
            IsWhole &= whole;
        }

        public void Text(string text)
        {
            Take(text);
            End();
        }

        public override bool Take(ReadOnlySpan<char> piece)
        {
            if (piece.IsEmpty) return true;
            IsStopped |= memory is { IsShort: true };
            // one message must not take more memory than many
            IsWhole &= piece.Length <= left && !builder.IsOverfull && IsOrdinary(piece);
            if (left <= 0 || IsStopped || builder.IsOverfull) return false;
            if (piece.Length > left) piece = piece[..left];
            left -= piece.Length;
            return base.Take(piece);
        }

        private protected override void IsLong() => builder.Add(Section.Marks, IsBody ? SearchMarks.LongBody : SearchMarks.LongHeader);

        private protected override bool Word(ReadOnlySpan<char> word)
        {
            builder.Add(IsBody ? Section.Body : Section.Header, word);
            IsWhole &= !builder.IsOverfull;
            return !builder.IsOverfull;
        }
    }

    // UTF-8 has no halves of pairs: what has one is looked at
    static bool IsOrdinary(ReadOnlySpan<char> text)
    {
        for (var at = 0; ;)
        {
            var next = text[at..].IndexOfAnyInRange('\ud800', '\udfff');
            if (next < 0) return true;
            at += next;
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return false;
            at += 2;
        }
    }
}
