using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;

namespace CbaMail.Reports;

/// <summary>Whom a message that arrived can be held to.</summary>
/// <param name="Author">Its From domain, which SPF or a signature proves.</param>
/// <param name="Signed">A signature does.</param>
public sealed record ProvenSender(string Author, bool Signed);

/// <summary>
/// Takes mail for report addresses: a row beside whatever else the commit does with the message, so the 250 costs nothing more and nothing is
/// lost; <see cref="ReportReader"/> reads it afterwards. The addresses are names in every domain here, and need no account.
/// </summary>
public sealed class ReportIntake
{
    readonly MailStore mail;
    readonly UserDirectory directory;
    readonly TimeProvider time;
    readonly HashSet<string> names;
    TaskCompletionSource arrived = New();

    public ReportIntake(MailStore mail, UserDirectory directory, TimeProvider time, Settings settings)
    {
        (this.mail, this.directory, this.time) = (mail, directory, time);
        var rules = settings.Reports;
        names = rules.Receive ? [.. rules.DmarcNames.Concat(rules.TlsNames).Concat(rules.ComplaintNames).Append(settings.Publish.Reports).Where(name => name.Length > 0).Select(Names.LocalKey)] : [];
        directory.ServedNames = names;
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when mail has come since the last question.</summary>
    internal Task Arrived
    {
        get
        {
            var now = Volatile.Read(ref arrived);
            if (!now.Task.IsCompleted) return now.Task;
            Interlocked.CompareExchange(ref arrived, New(), now);
            return Task.CompletedTask;
        }
    }

    /// <summary>Whether reports are taken under the address.</summary>
    public bool IsServed(MailAddress address)
    {
        var local = Names.LocalKey(address.LocalPart);
        if (local.IndexOf('+') is > 0 and var plus) local = local[..plus];
        return names.Contains(local) && directory.IsLocal(address);
    }

    /// <summary>In the commit that places the message: notes it once where one of its recipients is a report address.</summary>
    public void Take(WriteTransaction transaction, MailAddress? sender, IEnumerable<MailAddress> recipients, ContentRef content, ProvenSender? proven)
    {
        if (names.Count == 0) return;
        foreach (var recipient in recipients)
        {
            if (!IsServed(recipient)) continue;
            mail.AddReference(transaction, content.Id);
            ReportMailTable.Add(transaction, content, time.GetUtcNow(), recipient.ToString(), sender?.ToString() ?? "", proven);
            transaction.OnCommitted(() => Volatile.Read(ref arrived).TrySetResult());
            return;
        }
    }
}
