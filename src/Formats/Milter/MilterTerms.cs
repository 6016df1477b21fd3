using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace CbaMail.Milter;

/// <summary>
/// The terms of a conversation: what the server offers and what the milter makes of it (SMFIC_OPTNEG). A milter of an older version
/// is never shown what came later: <see cref="For"/> says for each version what there was.
/// </summary>
public sealed record MilterTerms(int Version, MilterActions Actions, MilterSteps Steps)
{
    /// <summary>The oldest version that is spoken.</summary>
    public const int Oldest = 2;
    /// <summary>The newest.</summary>
    public const int Newest = 6;
    /// <summary>Names of macros for one stage, above which a milter is not taken seriously.</summary>
    const int MostMacros = 200;

    const MilterSteps Version2 = MilterSteps.NoConnect | MilterSteps.NoHello | MilterSteps.NoMail | MilterSteps.NoRecipient
        | MilterSteps.NoBody | MilterSteps.NoHeaders | MilterSteps.NoEndOfHeader;

    const MilterSteps Version6 = Version2 | MilterSteps.NoUnknown | MilterSteps.NoData | MilterSteps.NoReplyToHeader | MilterSteps.Skip | MilterSteps.RefusedRecipients
        | MilterSteps.NoReplyToConnect | MilterSteps.NoReplyToHello | MilterSteps.NoReplyToMail | MilterSteps.NoReplyToRecipient
        | MilterSteps.NoReplyToData | MilterSteps.NoReplyToUnknown | MilterSteps.NoReplyToEndOfHeader | MilterSteps.NoReplyToBody
        | MilterSteps.LeadingSpace;

    const MilterSteps Sizes = MilterSteps.Packets256K | MilterSteps.Packets1M;

    const MilterActions Actions2 = MilterActions.AddHeaders | MilterActions.ChangeBody | MilterActions.AddRecipients | MilterActions.DeleteRecipients
        | MilterActions.ChangeHeaders | MilterActions.Quarantine;

    const MilterActions Actions6 = Actions2 | MilterActions.ChangeSender | MilterActions.AddRecipientsWithParameters | MilterActions.SetMacros;

    /// <summary>The macros that the milter asks for, by stage; a stage that is not in it has the server's usual ones.</summary>
    public IReadOnlyDictionary<MilterStage, IReadOnlyList<string>> Macros { get; init; } = new Dictionary<MilterStage, IReadOnlyList<string>>();

    /// <summary>Bytes of data in one packet.</summary>
    public int PacketSize => Steps.HasFlag(MilterSteps.Packets1M) ? (1 << 20) - 1 : Steps.HasFlag(MilterSteps.Packets256K) ? (256 << 10) - 1 : (64 << 10) - 1;

    /// <summary>All that a server of this version offers.</summary>
    /// <param name="sizes"><see cref="MilterSteps.Packets256K"/> and <see cref="MilterSteps.Packets1M"/>, where larger packets are offered.</param>
    public static MilterTerms For(int version, MilterSteps sizes = MilterSteps.None) => version switch
    {
        <= 2 => new(version, Actions2, Version2),
        3 => new(version, Actions2, Version2 | MilterSteps.NoUnknown),
        4 or 5 => new(version, Actions2, Version2 | MilterSteps.NoUnknown | MilterSteps.NoData),
        _ => new(version, Actions6, Version6 | (sizes & Sizes)),
    };

    /// <summary>Reads the milter's side of the negotiation and brings both together.</summary>
    /// <param name="problem">A sentence on why there is no conversation.</param>
    public bool TryAgree(ReadOnlySpan<byte> data, [NotNullWhen(true)] out MilterTerms? agreed, out string problem)
    {
        (agreed, problem) = (null, "");
        if (data.Length < 12)
        {
            problem = "its answer to the negotiation is too short";
            return false;
        }
        var version = BinaryPrimitives.ReadUInt32BigEndian(data);
        var actions = (MilterActions)BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        var steps = (MilterSteps)BinaryPrimitives.ReadUInt32BigEndian(data[8..]);
        if (version < Oldest || version > Version)
        {
            problem = $"it speaks version {version} of the milter protocol, we speak {Oldest} to {Version}";
            return false;
        }
        if ((actions & ~Actions) != 0)
        {
            problem = $"it wants to do what we do not offer (actions 0x{(uint)(actions & ~Actions):x})";
            return false;
        }
        if (!TryMacros(data[12..], out var macros))
        {
            problem = "the list of macros that it asks for cannot be read";
            return false;
        }
        // what it says of steps that its own version does not have means nothing
        agreed = new MilterTerms((int)version, actions, steps & Steps & For((int)version, Sizes).Steps) { Macros = macros };
        return true;
    }

    // stage as a 32-bit number, then names separated by spaces, then NUL; again and again
    static bool TryMacros(ReadOnlySpan<byte> data, out Dictionary<MilterStage, IReadOnlyList<string>> macros)
    {
        macros = [];
        while (data.Length > 0)
        {
            var end = data.Length > 4 ? data[4..].IndexOf((byte)0) : -1;
            if (end < 0) return false;
            var stage = (MilterStage)BinaryPrimitives.ReadUInt32BigEndian(data);
            var names = Encoding.Latin1.GetString(data.Slice(4, end)).Split([' ', ',', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (names.Length > MostMacros) return false;
            if (Enum.IsDefined(stage)) macros[stage] = names;
            data = data[(4 + end + 1)..];
        }
        return true;
    }

    /// <summary>Whether the step is taken at all in these terms.</summary>
    public bool Has(MilterCommand command) => command switch
    {
        MilterCommand.Connect => !Steps.HasFlag(MilterSteps.NoConnect),
        MilterCommand.Hello => !Steps.HasFlag(MilterSteps.NoHello),
        MilterCommand.Mail => !Steps.HasFlag(MilterSteps.NoMail),
        MilterCommand.Recipient => !Steps.HasFlag(MilterSteps.NoRecipient),
        MilterCommand.Data => Version >= 4 && !Steps.HasFlag(MilterSteps.NoData),
        MilterCommand.Unknown => Version >= 3 && !Steps.HasFlag(MilterSteps.NoUnknown),
        MilterCommand.Header => !Steps.HasFlag(MilterSteps.NoHeaders),
        MilterCommand.EndOfHeader => !Steps.HasFlag(MilterSteps.NoEndOfHeader),
        MilterCommand.Body => !Steps.HasFlag(MilterSteps.NoBody),
        _ => true,
    };

    /// <summary>Whether the milter answers the command.</summary>
    public bool IsAnswered(MilterCommand command) => command switch
    {
        MilterCommand.Connect => !Steps.HasFlag(MilterSteps.NoReplyToConnect),
        MilterCommand.Hello => !Steps.HasFlag(MilterSteps.NoReplyToHello),
        MilterCommand.Mail => !Steps.HasFlag(MilterSteps.NoReplyToMail),
        MilterCommand.Recipient => !Steps.HasFlag(MilterSteps.NoReplyToRecipient),
        MilterCommand.Data => !Steps.HasFlag(MilterSteps.NoReplyToData),
        MilterCommand.Unknown => !Steps.HasFlag(MilterSteps.NoReplyToUnknown),
        MilterCommand.Header => !Steps.HasFlag(MilterSteps.NoReplyToHeader),
        MilterCommand.EndOfHeader => !Steps.HasFlag(MilterSteps.NoReplyToEndOfHeader),
        MilterCommand.Body => !Steps.HasFlag(MilterSteps.NoReplyToBody),
        MilterCommand.Macro or MilterCommand.Abort or MilterCommand.Quit or MilterCommand.QuitNewConnection => false,
        _ => true,
    };
}
