using System.Text;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Queue;

namespace CbaMail.Delivery;

/// <summary>What an order comes to: rows in mailboxes and recipients elsewhere, each once.</summary>
sealed class Effects
{
    public List<Row> Rows { get; } = [];
    public List<QueueRecipient> Remote { get; } = [];
    /// <summary>What somebody here passes on for a stranger: by the reverse-path under which it goes (null for a notice), and the domain that seals it; and what goes by way of a group, which of our own people is signed and not sealed.</summary>
    public List<(MailAddress? Sender, string? Sealer, List<QueueRecipient> Recipients)> Forwarded { get; } = [];
    /// <summary>The first row that is a copy by policy.</summary>
    public int Copies { get; private set; } = int.MaxValue;
    public List<QueueRecipient> RemoteCopies { get; } = [];
    /// <summary>Where each recipient leads: the number of a row, which several may share, or -1: elsewhere, or to a room of the server.</summary>
    public List<(int Recipient, int Row)> Ways { get; } = [];

    /// <param name="Recipient">Index in the order.</param>
    /// <param name="Detail">Behind the "+" of the address, or null.</param>
    public readonly record struct Row(int Recipient, Account Account, ReadOnlyMemory<byte> Prefix, string? Detail = null);

    /// <summary>All of it waits in the queue, each address as it was written: who it leads to is asked when its time has come (RFC 4865 4).</summary>
    public static Effects Later(DeliveryOrder order)
    {
        var effects = new Effects();
        effects.Remote.AddRange(order.Recipients.DistinctBy(recipient => recipient.Address.Key).Select(recipient => new QueueRecipient(recipient.Address, recipient.Notify, recipient.OriginalRecipient)));
        return effects;
    }

    public static Effects Of(DeliveryOrder order, UserDirectory directory)
    {
        var effects = new Effects();
        var single = order.Recipients.Count == 1 && order.Recipients[0].Targets.Count == 1 && !order.Junk;
        var local = single ? null : new Dictionary<(long, string?), int>();
        var remote = single ? null : new HashSet<string>();
        for (var i = 0; i < order.Recipients.Count; i++)
        {
            var recipient = order.Recipients[i];
            if (recipient.IsCopy) effects.Copies = Math.Min(effects.Copies, effects.Rows.Count);
            foreach (var target in recipient.Targets)
            {
                if (order.Junk && target is { Remote: not null, Via: { } via } && directory.FindAccount(via) is { } keeper)
                {
                    if (effects.IsNew(i, (keeper.Id, null), local)) effects.Rows.Add(new Row(i, keeper, (byte[])[.. Prefix(order, recipient, new Target(keeper, null, null)), .. NotForwarded(target.Remote)]));
                }
                else if (target.Account is { } account)
                {
                    // an alias and its member: one copy; two different "+" details: two
                    if (effects.IsNew(i, (account.Id, target.Detail?.ToLowerInvariant()), local)) effects.Rows.Add(new Row(i, account, Prefix(order, recipient, target), target.Detail));
                }
                else
                {
                    effects.Ways.Add((i, -1));
                    if (target.Remote is { } address && remote?.Add(address.Key) != false)
                        effects.RecipientsFor(order, target, recipient.IsCopy, directory).Add(target.ReturnTo is null ? new QueueRecipient(address, recipient.Notify, recipient.OriginalRecipient) : new QueueRecipient(address, null, null)); // RFC 3461 5.2.7.1: a list's own request
                }
            }
        }
        return effects;
    }

    bool IsNew(int recipient, (long, string?) place, Dictionary<(long, string?), int>? known)
    {
        var row = Rows.Count;
        var isNew = known is null || known.TryAdd(place, row);
        if (!isNew) row = known![place];
        Ways.Add((recipient, row));
        return isNew;
    }

    // a stranger's mail leaves in the name of who passes it on (RFC 7208 2.4, D.2); what has an address of ours already, and notices, keep what they have.
    // All of it is sealed (RFC 8617 5.1); only what our own people send now is signed instead
    List<QueueRecipient> RecipientsFor(DeliveryOrder order, Target target, bool isCopy, UserDirectory directory)
    {
        if (isCopy) return RemoteCopies;
        if (target is { ReturnTo: { } keeper, Group.Address.DomainKey: { } home }) return Under(keeper, order.Author is null ? home : null);
        if (target.Via is not { } via || order.Author is not null) return Remote;
        var stranger = order.ReversePath is { } path && !directory.IsLocal(path) ? path : null;
        if (stranger is null && order.Id.Length == 0) return Remote; // the server's own words
        var sender = stranger is null ? order.ReversePath : directory.RewriteSender(stranger, via);
        return Under(sender, via.DomainKey);
    }

    List<QueueRecipient> Under(MailAddress? sender, string? sealer)
    {
        foreach (var (known, other, recipients) in Forwarded)
            if (known?.Key == sender?.Key && other == sealer) return recipients;
        Forwarded.Add((sender, sealer, []));
        return Forwarded[^1].Recipients;
    }

    // tells the owner why it is here and not there
    static byte[] NotForwarded(MailAddress to) => Encoding.UTF8.GetBytes($"X-Not-Forwarded: {to} (judged to be junk)\r\n");

    // RFC 5321 4.4: the final delivery puts the reverse-path on top
    static byte[] Prefix(DeliveryOrder order, DeliveryRecipient recipient, Target target)
    {
        var account = target.Account!.Address;
        var key = account.Key;
        var direct = recipient.Address.Key == (target.Detail is null ? key : $"{key[..^(account.DomainKey.Length + 1)]}+{target.Detail.ToLowerInvariant()}@{account.DomainKey}");
        var delivered = direct ? recipient.Address : account;
        var text = $"Return-Path: {MailPath.Write(target.ReturnTo ?? order.ReversePath)}\r\nDelivered-To: {delivered}\r\n";
        if (!direct) text += $"X-Original-To: {recipient.Address}\r\n";
        if (order.Junk) text += JunkField.Write(order.Verdict);
        return Encoding.UTF8.GetBytes(text);
    }
}
