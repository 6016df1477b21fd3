using CbaMail.Mailboxes;

namespace CbaMail.Mailings;

/// <summary>The bodies that mailings under way keep as compression dictionaries, for whoever counts references.</summary>
static class MailingHolding
{
    public static readonly BodyHolder Holder = new("mailings", MailingTable.Bases, MailingTable.Holding, _ => []);
}
