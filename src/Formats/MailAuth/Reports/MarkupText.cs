using System.Text;

namespace CbaMail.MailAuth.Reports;

/// <summary>
/// The characters of a report in XML, as UTF-8 or as their byte order mark says, for a reader of XML that knows no bounds of its own: names and
/// attributes of one element cost the square of their number there. In what is well-formed "&lt;" stands in no attribute, so the distance from
/// one to the next bounds them.
/// </summary>
sealed class MarkupText(Stream stream) : TextReader
{
    /// <summary>Characters from one "&lt;" to the next: an element with its attributes and the text behind it.</summary>
    public const int MaxRun = 8192;

    readonly StreamReader inner = new(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
    int run;

    /// <exception cref="InvalidDataException">There is too much between two elements.</exception>
    public override int Read(char[] buffer, int index, int count)
    {
        var read = inner.Read(buffer, index, count);
        for (var rest = buffer.AsSpan(index, read); !rest.IsEmpty;)
        {
            var next = rest.IndexOf('<');
            run += next < 0 ? rest.Length : next;
            if (run > MaxRun) throw new InvalidDataException();
            if (next < 0) break;
            run = 0;
            rest = rest[(next + 1)..];
        }
        return read;
    }

    public override int Read()
    {
        var one = new char[1];
        return Read(one, 0, 1) == 0 ? -1 : one[0];
    }

    public override int Peek() => inner.Peek();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
