using System.Globalization;
using CbaMail.Envelope;
using CbaMail.Inbound;

namespace CbaMail.Smtp.Server;

/// <summary>What MAIL began: it ends by the reply to the text, by RSET, or by another greeting (RFC 5321 4.1.4).</summary>
sealed class SmtpTransaction(string id, Arrival arrival) : IDisposable
{
    public string Id => id;
    public Arrival Arrival => arrival;
    public string? Body { get; set; }
    public bool IsBinary => Body == "BINARYMIME";
    public bool SmtpUtf8 { get => arrival.SmtpUtf8; set => arrival.SmtpUtf8 = value; }
    public string? Return { get => arrival.Return; set => arrival.Return = value; }
    public string? EnvelopeId { get => arrival.EnvelopeId; set => arrival.EnvelopeId = value; }
    /// <summary>RFC 6710: -9 to 9.</summary>
    public int Priority { get; set; }
    /// <summary>What was asked for was more than the client may have (RFC 6710 4.1).</summary>
    public bool IsLowered { get; set; }
    /// <summary>RFC 4865: not before, or null.</summary>
    public DateTimeOffset? ReleaseAt { get; set; }
    /// <summary>What HOLDFOR or HOLDUNTIL said, as notices repeat it (RFC 4865 5.1.2); or null.</summary>
    public string? HoldRequest { get; set; }
    /// <summary>RFC 2852, or null.</summary>
    public Queue.DeliverBy? By { get; set; }
    /// <summary>Recipients so far that the account has never written to.</summary>
    public int Fresh { get; set; }
    /// <summary>RCPTs asked for, refused ones included.</summary>
    public int Asked { get; set; }
    /// <summary>The text, from its first octet on.</summary>
    public MessageSink? Sink { get; set; }
    /// <summary>A BDAT has come: DATA and RCPT may not follow (RFC 3030 3).</summary>
    public bool IsChunked { get; set; }

    public static string MakeId(string session, int number) => string.Create(CultureInfo.InvariantCulture, $"{session}-{number}");

    public string Sender => MailPath.Write(arrival.Sender);

    public void Dispose()
    {
        arrival.Dispose();
        Sink?.Dispose();
    }
}
