using CbaMail.Directory;
using CbaMail.Mailboxes.Search;

namespace CbaMail.Mailboxes;

// Mailboxes: the vault's meaning. An account has mailboxes, a mailbox has message rows, many rows share one content.
//
//   content    a body once, however many mailboxes hold it; leaf parts of 32 KiB and more are objects of their own, found by
//              SHA-256; a body that resembles another (a mailing) is compressed against it
//   row        what differs a mailbox: UID, flags, keywords, dates, and a prefix of header fields (Return-Path, Delivered-To)
//   usage      one modification sequence, the bytes and the number of messages an account (CONDSTORE, JMAP states, quota)
//
// ENVELOPE, the tree of parts and the preview are computed once, when a body is staged, outside the committer.
//
// Rules that a change must keep:
//   counters of a mailbox and of the account change in the same transaction as the rows
//   a UID is never used again; MODSEQ only rises (RFC 7162 3.1); every change of a mailbox is published after its commit
//   a content without references is removed in the transaction that takes the last one
//   a location that a row named may be out of date when it is used: packs are rewritten (PackRewriting), Bodies looks again
//   no reader is held while a connection is written to
//
// RFC 9051 2.3, RFC 3501 2.3, RFC 4315, RFC 7162, RFC 8514.

/// <summary>The room's services.</summary>
public static class MailboxesRoom
{
    public static IServiceCollection AddMailboxes(this IServiceCollection services) => services
        .AddSingleton<Notifier>()
        .AddSingleton<MailStore>()
        .AddSingleton<PackRewriting>()
        .AddSingleton<ExpungeHistory>()
        .AddSingleton<Undelete>().AddSingleton(KeptTable.Holder).AddHostedService<UndeleteUpkeep>()
        .AddSingleton<Retention>().AddHostedService<RetentionUpkeep>()
        .AddSingleton<TextIndex>()
        .AddSingleton<TextIndexer>()
        .AddHostedService(provider => provider.GetRequiredService<TextIndexer>())
        .AddHostedService<VaultUpkeep>();

    /// <summary>New accounts get their mailboxes in the transaction that makes them; removed ones lose them.</summary>
    public static void Attach(MailStore mail, UserDirectory directory)
    {
        directory.IsFolder = (domain, name, detail, poster) => mail.IsFolder(directory, domain, name, detail, poster);
        directory.AccountAdding += (transaction, account) => mail.CreateAccount(transaction, account.Id);
        directory.DomainRemoving += (transaction, domain) => mail.RemoveAccount(transaction, -domain.Id); // its public folders
        directory.AccountRemoving += (transaction, account) => mail.RemoveAccount(transaction, account.Id, account.Address.ToString());
        directory.AccountRenaming += (transaction, account, address) => AclTable.Rename(transaction, account.Address.ToString(), address.ToString());
    }
}
