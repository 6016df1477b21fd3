using CbaMail.Storage;

namespace CbaMail.Queue;

/// <summary>"Where is my mail": every field that is given must fit.</summary>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="Sender">As <see cref="QueueFilter.From"/>.</param>
/// <param name="Text">Anywhere in what is known: a client's address, a server's reply.</param>
public sealed record TraceQuestion(
    string? MessageId = null, string? Sender = null, string? Recipient = null, long? QueueId = null,
    DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? Text = null)
{
    public bool IsEmpty => this == new TraceQuestion();
}

/// <summary>A line of the trail with its time.</summary>
public sealed record TraceLine(DateTimeOffset At, TrailEntry Entry);

/// <summary>A recipient that has left the queue.</summary>
public sealed record FinishedRecipient(
    long QueueId, int Sequence, DateTimeOffset At, MailClass Class, string? MessageId, string Sender, string Recipient, string Outcome, string? Cause,
    string Host, string? Tls, string Reply, int Attempts, DateTimeOffset Created);

/// <summary>Where a message came from.</summary>
/// <param name="Hello">What the client called itself.</param>
/// <param name="Account">Who had signed in, or null.</param>
/// <param name="With">Protocol and TLS.</param>
public sealed record TraceOrigin(string Address, string? Hello, string? Account, string? With);

/// <summary>What became of a message for one recipient.</summary>
/// <param name="State">mailbox, junk, queued, waiting, scheduled, deferred, active, held, delivered, bounced, dropped, refused, skipped or counted.</param>
/// <param name="Cause">Of one that did not get through: dead, full, policy, content, temporary, unknown.</param>
/// <param name="Detail">The mailbox, or why it is as it is.</param>
public sealed record TraceRecipient(
    string Address, string State, DateTimeOffset At, string? Cause = null, string? Detail = null, string? Host = null, string? Tls = null, string? Reply = null,
    int Attempts = 0, DateTimeOffset? NextAttempt = null, IReadOnlyList<QueueAttempt>? History = null);

/// <summary>A message and its whole way.</summary>
/// <param name="Arrival">Id of the transaction, as on the log lines; empty for our own.</param>
/// <param name="Verdict">Why it was refused or judged to be junk; or null.</param>
public sealed record TraceMessage(
    DateTimeOffset At, string Arrival, string? MessageId, string Sender, long Size, TraceOrigin? From, string? Verdict, long? QueueId, long? Mailing,
    IReadOnlyList<TraceRecipient> Recipients);

/// <summary>
/// Answers from the trail, what has left the queue, and the queue itself; the mailing ledger is asked by who stands above it. The trail is walked
/// from its end, for most ask about today; a million lines take some seconds.
/// </summary>
public sealed class TraceSearch(Store store, MailQueue queue)
{
    /// <summary>The newest messages that fit, the newest first.</summary>
    public async Task<List<TraceMessage>> FindAsync(TraceQuestion question, int limit, CancellationToken cancel = default)
    {
        await queue.Trail.FlushAsync(cancel);
        using var read = store.Read();
        var seen = new HashSet<long>();
        var found = new List<TraceMessage>();
        foreach (var line in TrailTable.Lines(read, question, limit))
        {
            if (line.Entry.QueueId is { } id && !seen.Add(id)) continue;
            found.Add(Whole(read, line));
        }
        // notices of our own have no line; of what has one that says other words, a reply may fit
        var ids = TrailTable.Finished(read, question, limit).Select(finished => finished.QueueId)
            .Concat(queue.Find(Filter(question), 0, limit).Where(entry => (question.Since is not { } since || entry.Created >= since) && (question.Until is not { } until || entry.Created < until)).Select(entry => entry.Id));
        foreach (var id in ids)
            if (seen.Add(id)) found.AddRange(TrailTable.LinesOf(read, id) is [var line, ..] ? [Whole(read, line)] : Own(read, id));
        return [.. found.OrderByDescending(message => message.At).Take(limit)];
    }

    static QueueFilter Filter(TraceQuestion question) => new()
    {
        MessageId = question.MessageId,
        From = question.Sender,
        To = question.Recipient,
        Id = question.QueueId,
        Reply = question.Text,
    };

    TraceMessage Whole(ReadTransaction read, TraceLine line)
    {
        var entry = line.Entry;
        var recipients = new List<TraceRecipient>();
        var leaves = entry.QueueId is { } id ? Leaving(read, id) : [];
        foreach (var text in entry.Recipients.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var tab = text.IndexOf('\t');
            var (address, deed) = tab < 0 ? (text, "") : (text[..tab], text[(tab + 1)..]);
            var space = deed.IndexOf(' ');
            var (state, detail) = space < 0 ? (deed, null) : (deed[..space], deed[(space + 1)..]);
            if (state == "queued" && leaves.Find(leaving => leaving.Address == (detail ?? address)) is { } way)
            {
                leaves.Remove(way);
                recipients.Add(way with { Address = address, Detail = detail ?? way.Detail });
            }
            else recipients.Add(new TraceRecipient(address, state.Length > 0 ? state : "refused", line.At, Detail: state == "refused" ? null : detail, Reply: state == "refused" ? detail : null));
        }
        recipients.AddRange(leaves);
        return new TraceMessage(line.At, entry.Arrival, entry.MessageId, entry.Sender, entry.Size, Origin(entry.Origin), entry.Verdict.Length > 0 ? entry.Verdict : null, entry.QueueId, null, recipients);
    }

    static TraceOrigin? Origin(string text)
    {
        var fields = text.Split('\t');
        string? Field(int i) => i < fields.Length && fields[i].Length > 0 ? fields[i] : null;
        return text.Length == 0 ? null : new TraceOrigin(fields[0], Field(1), Field(2), Field(3));
    }

    /// <summary>A message of our own: a notice, a copy of a mailing.</summary>
    IEnumerable<TraceMessage> Own(ReadTransaction read, long id)
    {
        var finished = TrailTable.FinishedOf(read, id).FirstOrDefault();
        var entry = queue.Show(id).Value;
        if (finished is null && entry is null) yield break;
        yield return new TraceMessage(
            entry?.Created ?? finished!.Created, entry?.Arrival ?? "", entry?.MessageId ?? finished?.MessageId, entry?.Sender ?? finished!.Sender, entry?.Size ?? 0, null, null, id, entry?.Mailing,
            Leaving(read, id));
    }

    List<TraceRecipient> Leaving(ReadTransaction read, long id)
    {
        var way = TrailTable.FinishedOf(read, id).ConvertAll(done => new TraceRecipient(
            done.Recipient, done.Outcome, done.At, done.Cause, null, done.Host.Length > 0 ? done.Host : null, done.Tls, done.Reply, done.Attempts, null, TrailTable.Attempts(read, id, done.Sequence)));
        if (queue.Show(id) is { Ok: true, Value: var entry })
            way.AddRange(entry.Recipients.Select(recipient => new TraceRecipient(
                recipient.Address, recipient.State, recipient.LastAttempt ?? entry.Created, null, recipient.Rule is { } rule ? $"held by rule {rule}" : null,
                recipient.LastHost is { Length: > 0 } host ? host : null, null, recipient.LastReply, recipient.Attempts, recipient.NextAttempt, recipient.History)));
        return way;
    }
}
