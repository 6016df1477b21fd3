using CbaMail.Config;
using CbaMail.Envelope;
using CbaMail.Pdf;

namespace CbaMail.Mailings;

/// <summary>The fonts of documents that are made here; read with the first of them.</summary>
public sealed class PdfFonts(Settings settings)
{
    /// <summary>A font and its bold brother.</summary>
    public sealed record Pair(TrueTypeFont Plain, TrueTypeFont Bold);

    readonly Lock guard = new();
    Pair? read;

    /// <summary>Refused where the file is not there or is no font.</summary>
    public Result<Pair> Read()
    {
        lock (guard)
        {
            if (read is not null) return read;
            var path = settings.Mailings.PdfFont;
            var bold = Path.Combine(Path.GetDirectoryName(path) ?? "", $"{Path.GetFileNameWithoutExtension(path)}-Bold{Path.GetExtension(path)}");
            try
            {
                var plain = TrueTypeFont.Read(File.ReadAllBytes(path));
                return read = new Pair(plain, File.Exists(bold) ? TrueTypeFont.Read(File.ReadAllBytes(bold)) : plain);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                return Refusal.NotPossible.Because($"There is no font for PDF: {path} cannot be read; install fonts-dejavu-core, or name a TrueType font in mailings.pdf-font");
            }
        }
    }
}
