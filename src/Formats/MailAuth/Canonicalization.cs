namespace CbaMail.MailAuth;

/// <summary>How a header or a body is prepared before it is hashed (RFC 6376 3.4).</summary>
public enum Canonicalization
{
    /// <summary>As it stands, but for empty lines at the body's end.</summary>
    Simple,
    /// <summary>White space, folding and the case of field names do not count.</summary>
    Relaxed,
}
