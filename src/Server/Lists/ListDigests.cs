using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Lists;

/// <summary>
/// Writes digests. Posts wait in a table with their contents held; the digest, its copies, and that nothing waits any more are one commit, so after a cut
/// a digest has gone out or has not.
/// </summary>
public sealed class ListDigests(Store store, MailStore mail, ListBook book, ListPosts posts, Config.Settings settings)
{
    const int UsualHours = 24, UsualPosts = 30, MostPosts = 500;
    const long UsualSize = 256 << 10, MostSize = 32 << 20;

    /// <summary>Sends those that are due.</summary>
    public async Task IssueAsync(CancellationToken cancel)
    {
        List<(long List, int Posts, long Bytes, DateTimeOffset First)> waiting;
        using (var read = store.Read()) waiting = ListPostTable.DigestsWaiting(read);
        foreach (var (id, count, bytes, first) in waiting)
            if (book.Find(id) is { Profile: var profile } list && (count >= (profile.DigestPosts ?? UsualPosts) || bytes >= (profile.DigestSize ?? UsualSize) || first.AddHours(profile.DigestHours ?? UsualHours) <= book.Now))
                await IssueAsync(list, cancel);
    }

    /// <summary>Sends what waits now.</summary>
    public async ValueTask<bool> IssueAsync(MailList list, CancellationToken cancel)
    {
        var taken = new List<long>();
        var texts = new List<byte[]>();
        using (var reader = mail.Read())
        {
            long left = MostSize;
            foreach (var (post, content, size) in ListPostTable.DigestOf(reader.Transaction.Prepare, list.Id, MostPosts))
            {
                if (taken.Count > 0 && (left -= size) < 0) break; // the rest in the next one
                taken.Add(post);
                if (reader.Content(content) is { } found) texts.Add(found.Read(0, (int)found.Size));
            }
        }
        if (taken.Count == 0) return false;
        var stem = $"{Guid.NewGuid():N}";
        var issue = await store.CommitAsync(write => ListTable.NextIssue(write, list.Id), cancel); // a number that a cut leaves unused hurts nobody
        var (now, domain) = (book.Now, list.Address.Domain);
        var forms = new[] { ("digest", $"{stem}.m@{domain}"), ("digest-plain", $"{stem}.p@{domain}") }
            .Select(form => (Mode: form.Item1, Id: form.Item2, Text: form.Item1 == "digest" ? DigestText.Mime(list, issue, form.Item2, now, texts, settings.Admission.Root(settings)) : DigestText.Plain(list, issue, form.Item2, now, texts, settings.Admission.Root(settings)))).ToList();
        var staged = forms.ConvertAll(form => mail.Stage(form.Text));
        try
        {
            return await store.CommitAsync(write =>
            {
                var waiting = ListPostTable.DigestOf(write.Prepare, list.Id, MostPosts);
                foreach (var post in taken)
                {
                    if (waiting.FindIndex(one => one.Post == post) is not (>= 0 and var at)) return false; // its list is gone, or another was faster
                    ListPostTable.RemoveFromDigest(write, post);
                    mail.DropReference(write, waiting[at].Content);
                }
                for (var i = 0; i < forms.Count; i++)
                {
                    var flags = PostFlags.Own | (System.Text.Ascii.IsValid(forms[i].Text) ? 0 : PostFlags.EightBit);
                    posts.SendDigest(write, list, new ListPost(0, list.Id, forms[i].Id, list.Address.ToString(), DigestText.Title(list, issue), "sending", null, forms[i].Text.Length, flags, now, 0), mail.AddContent(write, staged[i]), forms[i].Mode);
                }
                return true;
            }, cancel);
        }
        finally
        {
            foreach (var one in staged) one.Dispose();
        }
    }
}
