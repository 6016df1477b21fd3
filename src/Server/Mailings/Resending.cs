using System.Collections.Concurrent;
using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Storage;

namespace CbaMail.Mailings;

/// <summary>
/// Sends a mailing again to some of those whom it went to: as a mailing of its own, with a ledger of its own, so that each copy leaves once. Whom
/// an earlier one of these reached is left out; the ledger of that one says what came of it.
/// </summary>
public sealed class Resending(Store store, PressRoom press, MailingFiles files)
{
    readonly ConcurrentDictionary<long, bool> underWay = new();

    /// <summary>Writes the draft.</summary>
    /// <param name="to">failed, unopened, unclicked or unreplied.</param>
    /// <param name="subject">Null: the same.</param>
    /// <returns>The new mailing, and how many it is for as things are now.</returns>
    public async ValueTask<Result<(Mailing Mailing, int People)>> WriteAsync(long id, string to, string? subject, CancellationToken cancel)
    {
        if (!underWay.TryAdd(id, true)) return Refusal.Conflict.Because($"Mailing {id} is being written again already");
        try
        {
            var (found, course) = (press.Find(id), press.CourseOf(id));
            if (!found.Ok) return found.Refusal;
            if (!course.Ok) return course.Refusal;
            var mailing = found.Value;
            if (mailing.State is MailingState.Draft) return Refusal.Conflict.Because($"Mailing {id} has not been sent yet");
            if (to is "unopened" && !mailing.Pixel && !mailing.Clicks || to is "unclicked" && !mailing.Clicks)
                return Refusal.NotPossible.Because($"Nobody knows who opened mailing {id} or followed its links: it was written without --track-opens and --track-clicks").At("to");
            string? whom = to switch { "failed" => $"bounced mailing {id}", "unopened" => $"delivered mailing {id} and not opened mailing {id}", "unclicked" => $"delivered mailing {id} and not clicked mailing {id}", "unreplied" => $"delivered mailing {id} and not replied mailing {id}", _ => null };
            if (whom is null) return Refusal.Invalid.Because("It goes again to failed, unopened, unclicked or unreplied").At("to");
            List<Mailing> earlier;
            List<NewFile> given;
            using (var read = store.Read())
            {
                earlier = MailingTable.Children(read, id);
                given = [.. MailingTable.Files(read, id).Select(file => new NewFile(file.Name, files.Read(file)))];
            }
            if (earlier.Find(one => one.State is not (MailingState.Sent or MailingState.Cancelled)) is { } open)
                return Refusal.Conflict.Because($"Mailing {open.Id} is to send it again, and is not finished; send or cancel it first");
            foreach (var one in earlier) whom += string.Create(CultureInfo.InvariantCulture, $" and not sent mailing {one.Id}");
            var from = mailing.FromName.Length > 0 ? $"{mailing.FromName} <{mailing.FromAddress}>" : mailing.FromAddress;
            var made = await press.CreateAsync(new(course.Value.Slug, from, subject ?? mailing.Subject, mailing.Html, mailing.Text, given, null, whom, mailing.Class, mailing.ReplyTo, mailing.Pixel, mailing.Clicks, id), cancel);
            if (!made.Ok) return made.Refusal;
            var composer = press.ComposerOf(made.Value.Id, withFiles: false);
            if (!composer.Ok) return composer.Refusal;
            using (var read = store.Read())
            {
                var reached = press.Reached(read, composer.Value);
                return reached.Ok ? (made.Value, reached.Value.People.Count) : reached.Refusal;
            }
        }
        finally { underWay.TryRemove(id, out _); }
    }
}
