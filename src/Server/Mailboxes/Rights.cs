namespace CbaMail.Mailboxes;

/// <summary>What somebody may do with a mailbox (RFC 4314 2.1).</summary>
[Flags]
public enum Rights
{
    None = 0,
    /// <summary>l: it is seen in lists.</summary>
    Lookup = 1,
    /// <summary>r: it can be selected and read.</summary>
    Read = 2,
    /// <summary>s: \Seen can be changed.</summary>
    Seen = 4,
    /// <summary>w: flags other than \Seen and \Deleted can be changed.</summary>
    Write = 8,
    /// <summary>i: messages can be put into it.</summary>
    Insert = 16,
    /// <summary>p: mail can be sent to its address.</summary>
    Post = 32,
    /// <summary>k: mailboxes can be made below it.</summary>
    CreateBelow = 64,
    /// <summary>x: it can be deleted and renamed.</summary>
    DeleteMailbox = 128,
    /// <summary>t: \Deleted can be changed.</summary>
    DeleteMessages = 256,
    /// <summary>e: messages can be expunged.</summary>
    Expunge = 512,
    /// <summary>a: rights can be given and taken.</summary>
    Administer = 1024,
    All = 2047,
    /// <summary>Any of these lets MYRIGHTS be answered (RFC 4314 4).</summary>
    Noticing = Lookup | Read | Insert | CreateBelow | DeleteMailbox | Administer,
    /// <summary>Without any of these nothing can be changed.</summary>
    Changing = Seen | Shared,
    /// <summary>Without any of these a mailbox is said to be read-only (RFC 4314 5.2); \Seen is everybody's own, the other flags are shared.</summary>
    Shared = Write | Insert | DeleteMessages | Expunge,
    /// <summary>What the owner of a mailbox cannot take from himself: else nobody could give it back.</summary>
    Kept = Lookup | Administer,
}

/// <summary>Rights as the letters of RFC 4314 2.1.</summary>
public static class RightsText
{
    /// <summary>Those beyond RFC 2086, as the capability RIGHTS= names them (RFC 4314 2.2).</summary>
    public const string Added = "kxte";

    /// <summary>In the order in which they are shown, the virtual ones of RFC 4314 2.1.1 among them.</summary>
    public const string Letters = "lrswipkxtecda";

    /// <summary>The right of a letter; None for letters that are no right.</summary>
    public static Rights Of(char letter) => letter switch
    {
        'l' => Rights.Lookup,
        'r' => Rights.Read,
        's' => Rights.Seen,
        'w' => Rights.Write,
        'i' => Rights.Insert,
        'p' => Rights.Post,
        'k' => Rights.CreateBelow,
        'x' => Rights.DeleteMailbox,
        't' => Rights.DeleteMessages,
        'e' => Rights.Expunge,
        'a' => Rights.Administer,
        // RFC 4314 2.1.1: of the two ways, that which Cyrus and Dovecot have too: c is k and x, d is t and e
        'c' => Rights.CreateBelow | Rights.DeleteMailbox,
        'd' => Rights.DeleteMessages | Rights.Expunge,
        _ => Rights.None,
    };

    /// <summary>The rights of a text, or the first letter that is none.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Rights rights, out char unknown)
    {
        (rights, unknown) = (Rights.None, default);
        foreach (var letter in text)
        {
            if (Of(letter) is not Rights.None and var right) rights |= right;
            else { unknown = letter; return false; }
        }
        return true;
    }

    /// <summary>The letters; a virtual one is shown where any of its members is there (RFC 4314 2.1.1).</summary>
    public static string Show(Rights rights) => string.Concat(Letters.Where(letter => (rights & Of(letter)) != 0));
}

/// <summary>An entry of an access control list.</summary>
/// <param name="Identifier">An address, $group or anyone; "-" before it takes rights instead of giving them (RFC 4314 2).</param>
public readonly record struct AclEntry(string Identifier, Rights Rights);

/// <summary>How SETACL changes the rights of an identifier (RFC 4314 3.1).</summary>
public enum RightsMode { Set, Add, Remove }
