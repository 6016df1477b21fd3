using System.Globalization;
using CbaMail.Authorization;
using CbaMail.Backup;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;

namespace CbaMail.Http.Api;

/// <summary>/api/v1/me/expunged and /api/v1/accounts/{address}/expunged: messages that can be brought back.</summary>
static class ExpungedApi
{
    const int MostAtOnce = 100_000;

    /// <param name="Mailbox">Where it was.</param>
    /// <param name="Until">When it goes for good, unless space is short before.</param>
    sealed record ExpungedView(long Id, string Mailbox, string Subject, string From, DateTimeOffset Received, long Size, DateTimeOffset Expunged, DateTimeOffset Until);

    /// <param name="Ids">These; null: all that the other words fit, of which at least one is said, or all is true.</param>
    /// <param name="Mailbox">Only those that were in it.</param>
    /// <param name="Search">In subject and sender.</param>
    /// <param name="Since">Expunged on this day or later.</param>
    /// <param name="Before">Expunged before it.</param>
    /// <param name="To">The mailbox to put them into; null: where they were.</param>
    sealed record Restoring(IReadOnlyList<long>? Ids = null, string? Mailbox = null, string? Search = null, string? Since = null, string? Before = null, bool All = false, string? To = null);

    sealed record CountDone(int Count);

    public static readonly IReadOnlyList<ApiRoute> Rows =
    [
        new("GET", "/me/expunged", Permissions.OwnMail, About.Asked, "Messages of one's own that can be brought back, the last that went first", CredentialsApi.WithMe(ListAsync)) { IsList = true, Query = ["mailbox", "search", "since", "before"], Gives = typeof(ExpungedView) },
        new("POST", "/me/expunged/restore", Permissions.OwnMail, About.Asked, "Bring messages back", Requests.With<Restoring>((context, wanted) => CredentialsApi.WithMe((_, me) => RestoreAsync(context, me, wanted))(context))) { Takes = typeof(Restoring), Gives = typeof(CountDone), CanRehearse = true },
        new("DELETE", "/me/expunged", Permissions.OwnMail, About.Asked, "Let them go for good: all, or what is asked for", CredentialsApi.WithMe(ForgetAsync)) { Query = ["mailbox", "search", "since", "before"], Gives = typeof(CountDone), CanRehearse = true },
        new("GET", "/accounts/{address}/expunged", Permissions.MailboxesWrite, About.Account, "Messages of an account that can be brought back, the last that went first", Requests.WithAccount(ListAsync)) { IsList = true, Query = ["mailbox", "search", "since", "before"], Gives = typeof(ExpungedView) },
        new("POST", "/accounts/{address}/expunged/restore", Permissions.MailboxesWrite, About.Account, "Bring messages back", Requests.With<Restoring>((context, wanted) => Requests.WithAccount((_, account) => RestoreAsync(context, account, wanted))(context))) { Takes = typeof(Restoring), Gives = typeof(CountDone), CanRehearse = true },
        new("DELETE", "/accounts/{address}/expunged", Permissions.MailboxesWrite, About.Account, "Let them go for good: all, or what is asked for", Requests.WithAccount(ForgetAsync)) { Query = ["mailbox", "search", "since", "before"], Gives = typeof(CountDone), CanRehearse = true },
    ];

    sealed record Filter(string? Mailbox, string? Search, DateTimeOffset? Since, DateTimeOffset? Before)
    {
        public bool IsEmpty => (Mailbox, Search, Since, Before) is (null, null, null, null);

        public bool Fits(KeptMessage one)
        {
            if ((Mailbox is not null && one.Mailbox != Mailbox) || one.Expunged < Since || one.Expunged >= Before) return false;
            if (Search is null) return true;
            var envelope = StoredEnvelope.Parse(one.Envelope);
            return envelope.Subject.Contains(Search, StringComparison.OrdinalIgnoreCase) || From(envelope).Contains(Search, StringComparison.OrdinalIgnoreCase);
        }
    }

    static Result<Filter> Read(string? mailbox, string? search, string? since, string? before)
    {
        DateTimeOffset? from = null, to = null;
        if ((since is not null && !AccountDetails.TryTime(since, TimeZoneInfo.Local, isEnd: false, out from)) || (before is not null && !AccountDetails.TryTime(before, TimeZoneInfo.Local, isEnd: false, out to)))
            return Refusal.Invalid.Because("since and before are days as in 2027-06-30, or times with their zone as in 2027-06-30T18:00:00+03:00").At(since is not null ? "since" : "before");
        return new Filter(mailbox, search, from, to);
    }

    static Result<Filter> Read(HttpContext context) => Read(context.Asked("mailbox"), context.Asked("search"), context.Asked("since"), context.Asked("before"));

    static string From(StoredEnvelope envelope) => string.Join(", ", envelope.From.Select(one => one.Name.Length > 0 ? $"{one.Name} <{one.Address}>" : one.Address));

    static async Task ListAsync(HttpContext context, Account account)
    {
        var filter = Read(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        var keep = context.Room<Config.Settings>().Accounts.KeepExpunged;
        await context.ListAsync(context.Room<Undelete>().List(account.Id).Where(filter.Value.Fits), one => (long.MaxValue - one.Id).ToString("D19", CultureInfo.InvariantCulture), one =>
        {
            var envelope = StoredEnvelope.Parse(one.Envelope);
            return new ExpungedView(one.Id, one.Mailbox, envelope.Subject, From(envelope), one.Received, one.Size, one.Expunged, one.Expunged + keep);
        });
    }

    static async Task RestoreAsync(HttpContext context, Account account, Restoring wanted)
    {
        var filter = Read(wanted.Mailbox, wanted.Search, wanted.Since, wanted.Before);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        if (wanted.Ids is null && filter.Value.IsEmpty && !wanted.All) { await context.RefuseAsync(Refusal.Invalid.Because("Say which: ids, or mailbox, search, since or before, or all").At("ids")); return; }
        if (wanted.Ids?.Count > MostAtOnce) { await context.RefuseAsync(Refusal.Invalid.Because($"At most {MostAtOnce} messages are brought back at once").At("ids")); return; }
        var undelete = context.Room<Undelete>();
        var ids = wanted.Ids ?? [.. undelete.List(account.Id).Where(filter.Value.Fits).Take(MostAtOnce).Select(one => one.Id)];
        await context.ResultAsync(await undelete.RestoreAsync(account, ids, string.IsNullOrEmpty(wanted.To) ? null : wanted.To, context.RequestAborted), count => new CountDone(count));
    }

    static async Task ForgetAsync(HttpContext context, Account account)
    {
        var filter = Read(context);
        if (!filter.Ok) { await context.RefuseAsync(filter.Refusal); return; }
        var undelete = context.Room<Undelete>();
        await context.JsonAsync(new CountDone(await undelete.ForgetAsync([.. undelete.List(account.Id).Where(filter.Value.Fits).Take(MostAtOnce).Select(one => (one.Id, one.ContentId))], context.RequestAborted)));
    }
}
