using System.Security.Cryptography;
using System.Text;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Mime;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>A letter that was not put into an archive.</summary>
/// <param name="Number">From 1, in the order of the file.</param>
public sealed record LeftLetter(int Number, Refusal Problem);

/// <summary>What became of the letters of a file, or would.</summary>
/// <param name="Known">Were in the archive before, by their Message-ID.</param>
public sealed record TakenLetters(int Added, int Known, IReadOnlyList<LeftLetter> LeftOut);

/// <summary>Puts letters of another program's archive into a list's. The same file again adds nothing, and one that was cut short goes on where it stopped.</summary>
public sealed class ListArchiveIntake(Store store, MailStore mail, ListBook book, ListArchive archive)
{
    const int Piece = 50, LongestId = 900;

    /// <param name="file">An mbox.</param>
    public async ValueTask<Result<TakenLetters>> TakeAsync(MailList list, ReadOnlyMemory<byte> file, CancellationToken cancel)
    {
        if (!list.Profile.HasArchive) return Refusal.NotPossible.Because($"The list keeps no archive; give it one with: cbamail list set {list.Address} --archive members");
        var letters = Mbox.Read(file.Span);
        if (letters.Count == 0) return Refusal.Invalid.Because("The file is no mbox: it does not begin with \"From \"");
        var seen = NotYetIndexed(list);
        var (added, known, left) = (0, 0, new List<LeftLetter>());
        foreach (var piece in letters.Select((letter, i) => (Letter: letter, Number: i + 1)).Chunk(Piece))
        {
            var news = new List<(byte[] Letter, DateTimeOffset At)>(piece.Length);
            foreach (var (letter, number) in piece)
            {
                var header = HeaderList.Parse(letter);
                if (header.Find("From") is null) { left.Add(new(number, Refusal.Invalid.Because("It has no From"))); continue; }
                if (header.Value("X-No-Archive")?.Trim().Equals("yes", StringComparison.OrdinalIgnoreCase) == true) { left.Add(new(number, Refusal.Invalid.Because("Its author wants it in no archive"))); continue; }
                var id = header.Find("Message-ID") is { } field ? MessageId.Parse(field.Raw.Span) : null;
                var whole = letter;
                if (id is null or { Length: > LongestId })
                {
                    // as a post that has none is known again
                    id = $"{Convert.ToHexStringLower(SHA256.HashData(letter)[..16])}@{list.Address.Domain}";
                    whole = [.. Encoding.ASCII.GetBytes($"Message-ID: <{id}>\r\n"), .. letter];
                }
                if (seen.Add(id) && !IsIndexed(list, id)) news.Add((whole, At(header)));
                else known++;
            }
            if (await PutAsync(list, news, cancel) is { } refusal) return refusal;
            added += news.Count;
        }
        return new TakenLetters(added, known, left);
    }

    async ValueTask<Refusal?> PutAsync(MailList list, List<(byte[] Letter, DateTimeOffset At)> news, CancellationToken cancel)
    {
        if (news.Count == 0) return null;
        using var turn = await mail.StagingRoom.EnterAsync(news.Sum(one => (long)one.Letter.Length));
        var staged = new List<StagedMessage>(news.Count);
        try
        {
            foreach (var (letter, _) in news) staged.Add(mail.Stage(letter));
            return await store.CommitAsync<Refusal?>(write =>
            {
                if (ListTable.Find(write.Prepare, list.Id) is null) return ListBook.NoList(list.Address.ToString());
                for (var i = 0; i < news.Count; i++) archive.Keep(write, list, mail.AddContent(write, staged[i]), news[i].At);
                return null;
            }, cancel);
        }
        finally
        {
            foreach (var one in staged) one.Dispose();
        }
    }

    // months of the archive go by it
    DateTimeOffset At(HeaderList header) => header.Value("Date") is { } text && MailDate.TryParse(text, out var date) && date.Year >= 1970 && date <= book.Now ? date : book.Now;

    bool IsIndexed(MailList list, string id)
    {
        using var reader = mail.Read();
        return reader.Find(-list.DomainId, ListArchive.FolderName(list)) is { } folder && ListArchiveTable.Place(reader.Transaction.Prepare, list.Id).Mailbox == folder.Id && ListArchiveTable.Has(reader.Transaction.Prepare, list.Id, id);
    }

    HashSet<string> NotYetIndexed(MailList list)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        using var reader = mail.Read();
        if (reader.Find(-list.DomainId, ListArchive.FolderName(list)) is not { } folder) return ids;
        var (known, uid) = ListArchiveTable.Place(reader.Transaction.Prepare, list.Id);
        foreach (var row in reader.Messages(folder.Id, known == folder.Id ? uid + 1 : 1))
            if (reader.Content(folder.Id, row)?.MessageId is { } id) ids.Add(id);
        return ids;
    }
}
