using System.Buffers.Binary;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Milter;

/// <summary>
/// One answer of a milter, read. Which fields are filled depends on <see cref="Answer"/>; names and values of header fields stay bytes,
/// for a milter may write 8-bit text of any charset.
/// </summary>
public sealed class MilterReply
{
    /// <summary>The longest list of parameters that is read.</summary>
    const int MaxText = 8192;

    public MilterAnswer Answer { get; private init; }
    /// <summary>An address as the milter wrote it, mostly in brackets; the reason of a quarantine.</summary>
    public string Text { get; private init; } = "";
    /// <summary>The parameters behind an address: <c>NOTIFY=NEVER ORCPT=...</c>, or empty.</summary>
    public string Parameters { get; private init; } = "";
    /// <summary>Name of a header field.</summary>
    public ReadOnlyMemory<byte> Name { get; private init; }
    /// <summary>Its value, lines separated by LF; or a piece of the new body.</summary>
    public ReadOnlyMemory<byte> Value { get; private init; }
    /// <summary>Which of the fields of that name, from 1; for InsertHeader how many fields stand before it.</summary>
    public int Index { get; private init; }
    /// <summary>For ReplyCode.</summary>
    public Reply Reply { get; private init; }

    /// <summary>Whether this ends what a milter says to one command.</summary>
    public bool IsFinal => Answer is MilterAnswer.Accept or MilterAnswer.Continue or MilterAnswer.Discard or MilterAnswer.Reject or MilterAnswer.TemporaryFailure
        or MilterAnswer.ReplyCode or MilterAnswer.Shutdown or MilterAnswer.ConnectionFailed or MilterAnswer.Skip;

    /// <summary>Whether this may stand only behind the end of the body.</summary>
    public bool IsChange => Action != MilterActions.None && Answer != MilterAnswer.SetMacros;

    /// <summary>The action that must have been agreed on for it.</summary>
    public MilterActions Action => Answer switch
    {
        MilterAnswer.AddHeader or MilterAnswer.InsertHeader => MilterActions.AddHeaders,
        MilterAnswer.ChangeHeader => MilterActions.ChangeHeaders,
        MilterAnswer.ReplaceBody => MilterActions.ChangeBody,
        MilterAnswer.AddRecipient => MilterActions.AddRecipients,
        MilterAnswer.AddRecipientWithParameters => MilterActions.AddRecipientsWithParameters,
        MilterAnswer.DeleteRecipient => MilterActions.DeleteRecipients,
        MilterAnswer.ChangeSender => MilterActions.ChangeSender,
        MilterAnswer.Quarantine => MilterActions.Quarantine,
        MilterAnswer.SetMacros => MilterActions.SetMacros,
        _ => MilterActions.None,
    };

    /// <summary>Reads an answer; null where its data do not have the answer's form.</summary>
    public static MilterReply? Read(MilterAnswer answer, ReadOnlySpan<byte> data)
    {
        switch (answer)
        {
            case MilterAnswer.Accept or MilterAnswer.Continue or MilterAnswer.Discard or MilterAnswer.Reject or MilterAnswer.TemporaryFailure
                or MilterAnswer.Shutdown or MilterAnswer.ConnectionFailed or MilterAnswer.Skip or MilterAnswer.Progress:
                return data.IsEmpty ? new MilterReply { Answer = answer } : null;
            case MilterAnswer.SetMacros:
                return new MilterReply { Answer = answer };
            case MilterAnswer.ReplaceBody:
                return new MilterReply { Answer = answer, Value = data.ToArray() };
            case MilterAnswer.Quarantine or MilterAnswer.AddRecipient or MilterAnswer.DeleteRecipient:
                return TryText(ref data, out var text) && data.IsEmpty ? new MilterReply { Answer = answer, Text = text } : null;
            case MilterAnswer.ChangeSender or MilterAnswer.AddRecipientWithParameters:
                if (!TryText(ref data, out var address)) return null;
                var parameters = "";
                if (!data.IsEmpty && !(TryText(ref data, out parameters) && data.IsEmpty)) return null;
                return new MilterReply { Answer = answer, Text = address, Parameters = parameters };
            case MilterAnswer.AddHeader:
                return Header(answer, 0, data);
            case MilterAnswer.InsertHeader or MilterAnswer.ChangeHeader:
                if (data.Length < 4) return null;
                var index = BinaryPrimitives.ReadUInt32BigEndian(data);
                return index > int.MaxValue ? null : Header(answer, (int)index, data[4..]);
            case MilterAnswer.ReplyCode:
                return TryText(ref data, out var line) && data.IsEmpty && SmtpReplyText.Parse(line) is { } reply ? new MilterReply { Answer = answer, Reply = reply } : null;
            default:
                return null;
        }
    }

    static MilterReply? Header(MilterAnswer answer, int index, ReadOnlySpan<byte> data)
    {
        var colon = data.IndexOf((byte)0);
        if (colon <= 0) return null;
        var rest = data[(colon + 1)..];
        // the NUL at the very end is missing in packets of some libraries
        var end = rest.IndexOf((byte)0);
        if (end < 0) end = rest.Length; else if (end != rest.Length - 1) return null;
        var name = data[..colon];
        // RFC 5322 2.2: printable ASCII without the colon
        foreach (var b in name)
            if (b is <= 32 or >= 127 or (byte)':') return null;
        return new MilterReply { Answer = answer, Index = index, Name = name.ToArray(), Value = rest[..end].ToArray() };
    }

    static bool TryText(ref ReadOnlySpan<byte> data, out string text)
    {
        text = "";
        var end = data.IndexOf((byte)0);
        var bytes = end < 0 ? data : data[..end];
        if (bytes.Length > MaxText) return false;
        text = Encoding.UTF8.GetString(bytes);
        data = end < 0 ? default : data[(end + 1)..];
        return true;
    }
}
