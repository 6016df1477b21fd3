namespace CbaMail.Milter;

/// <summary>What a mail server tells a milter: the first byte of a packet (the milter protocol of Sendmail, mfdef.h, versions 2 to 6).</summary>
public enum MilterCommand : byte
{
    /// <summary>The transaction is given up; the connection goes on.</summary>
    Abort = (byte)'A',
    Body = (byte)'B',
    Connect = (byte)'C',
    /// <summary>Values of macros for the command that follows.</summary>
    Macro = (byte)'D',
    /// <summary>The message is there whole: now the milter may change it.</summary>
    EndOfBody = (byte)'E',
    Hello = (byte)'H',
    /// <summary>The client has gone; another one follows on this connection (version 6).</summary>
    QuitNewConnection = (byte)'K',
    Header = (byte)'L',
    Mail = (byte)'M',
    EndOfHeader = (byte)'N',
    Negotiate = (byte)'O',
    Quit = (byte)'Q',
    Recipient = (byte)'R',
    /// <summary>The client said DATA (version 4).</summary>
    Data = (byte)'T',
    /// <summary>A command that the server does not know (version 3).</summary>
    Unknown = (byte)'U',
}

/// <summary>What a milter answers: the first byte of a packet.</summary>
public enum MilterAnswer : byte
{
    None = 0,
    AddRecipient = (byte)'+',
    DeleteRecipient = (byte)'-',
    AddRecipientWithParameters = (byte)'2',
    /// <summary>421 and the end of the connection.</summary>
    Shutdown = (byte)'4',
    Accept = (byte)'a',
    ReplaceBody = (byte)'b',
    Continue = (byte)'c',
    Discard = (byte)'d',
    ChangeSender = (byte)'e',
    /// <summary>The milter cannot go on with this connection.</summary>
    ConnectionFailed = (byte)'f',
    AddHeader = (byte)'h',
    InsertHeader = (byte)'i',
    /// <summary>Asks for macros; stands in the negotiation, tolerated on its own.</summary>
    SetMacros = (byte)'l',
    ChangeHeader = (byte)'m',
    Negotiate = (byte)'O',
    /// <summary>Still at work: the time begins anew.</summary>
    Progress = (byte)'p',
    Quarantine = (byte)'q',
    Reject = (byte)'r',
    /// <summary>No more of this kind (version 6).</summary>
    Skip = (byte)'s',
    TemporaryFailure = (byte)'t',
    /// <summary>A reply for the client in the milter's words.</summary>
    ReplyCode = (byte)'y',
}

/// <summary>What a milter may do to a message, as it says in the negotiation.</summary>
[Flags]
public enum MilterActions : uint
{
    None = 0,
    AddHeaders = 0x1,
    ChangeBody = 0x2,
    AddRecipients = 0x4,
    DeleteRecipients = 0x8,
    ChangeHeaders = 0x10,
    Quarantine = 0x20,
    ChangeSender = 0x40,
    AddRecipientsWithParameters = 0x80,
    SetMacros = 0x100,
}

/// <summary>Steps of the conversation that a milter does without, and options of it.</summary>
[Flags]
public enum MilterSteps : uint
{
    None = 0,
    NoConnect = 0x1,
    NoHello = 0x2,
    NoMail = 0x4,
    NoRecipient = 0x8,
    NoBody = 0x10,
    NoHeaders = 0x20,
    NoEndOfHeader = 0x40,
    NoReplyToHeader = 0x80,
    NoUnknown = 0x100,
    NoData = 0x200,
    /// <summary>The server understands <see cref="MilterAnswer.Skip"/>.</summary>
    Skip = 0x400,
    /// <summary>The milter wants to see recipients that the server refuses.</summary>
    RefusedRecipients = 0x800,
    NoReplyToConnect = 0x1000,
    NoReplyToHello = 0x2000,
    NoReplyToMail = 0x4000,
    NoReplyToRecipient = 0x8000,
    NoReplyToData = 0x10000,
    NoReplyToUnknown = 0x20000,
    NoReplyToEndOfHeader = 0x40000,
    NoReplyToBody = 0x80000,
    /// <summary>Values of header fields keep the space behind the colon, in both directions.</summary>
    LeadingSpace = 0x100000,
    /// <summary>Packets may hold 256 KiB instead of 64.</summary>
    Packets256K = 0x10000000,
    /// <summary>Packets may hold 1 MiB instead of 64 KiB.</summary>
    Packets1M = 0x20000000,
}

/// <summary>Where in the conversation a milter wants macros; the numbers of SMFIM.</summary>
public enum MilterStage
{
    Connect = 0,
    Hello = 1,
    Mail = 2,
    Recipient = 3,
    Data = 4,
    EndOfBody = 5,
    EndOfHeader = 6,
}

/// <summary>The family of the client's address.</summary>
public enum MilterFamily : byte
{
    Unknown = (byte)'U',
    Unix = (byte)'L',
    Inet = (byte)'4',
    Inet6 = (byte)'6',
}
