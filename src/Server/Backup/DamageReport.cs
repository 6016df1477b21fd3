using CbaMail.Mailboxes;
using CbaMail.Storage.Blobs;

namespace CbaMail.Backup;

/// <summary>Names what is damaged as its owners know it: account, mailbox, UID, subject, date.</summary>
sealed class DamageReport(Inspection inspection)
{
    /// <summary>Messages named of one body; the rest is counted.</summary>
    const int Most = 10;

    public void Write()
    {
        foreach (var damage in inspection.Damages.Values)
            if (damage.Kind == RecordKind.Content) Body(damage);
            else inspection.Report(Place(new Finding("object", $"large part {damage.Id}, which messages share, is damaged: {damage.Fault}"), damage));
    }

    static Finding Place(Finding finding, Damage damage) =>
        damage.Row is { } row ? finding with { Pack = row.Location.Pack, Position = row.Location.Position } : finding;

    void Body(Damage damage)
    {
        List<Finding> lines = [];
        using (var read = inspection.Store.Read())
        {
            var content = ContentTable.Get(read, damage.Id);
            var envelope = StoredEnvelope.Parse(content?.Envelope);
            var problem = damage.Row is null ? $"the body is lost: {damage.Fault}" : $"the body is damaged: {damage.Fault}";
            var line = Place(new Finding("body", problem) { Content = damage.Id }, damage);
            if (content is not null) line = line with { Subject = envelope.Subject, Date = content.Sent };
            foreach (var (account, _, mailbox, uid) in damage.Messages.Take(Most))
                lines.Add(line with { Account = inspection.Name(account), Mailbox = mailbox, Uid = uid });
            if (damage.Messages.Count > Most) lines[^1] = lines[^1] with { More = damage.Messages.Count - Most, Problem = $"{problem} {damage.Messages.Count - Most} more messages hold the same body." };
            foreach (var holder in inspection.Holders)
                foreach (var who in holder.Holding(read, damage.Id)) lines.Add(line with { Problem = $"{who}: {problem}" });
            if (lines.Count == 0) lines.Add(line with { Problem = $"body {damage.Id}, which no message holds, is damaged: {damage.Fault}" });
        }
        foreach (var line in lines) inspection.Report(line);
    }
}
