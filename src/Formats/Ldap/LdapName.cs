using System.Text;

namespace CbaMail.Ldap;

/// <summary>Distinguished names as text (RFC 4514).</summary>
public static class LdapName
{
    /// <summary>A value as it stands in a name: whatever it holds, it stays one value (RFC 4514 2.4).</summary>
    public static string Escape(string value)
    {
        var safe = new StringBuilder(value.Length + 8);
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (c is '"' or '+' or ',' or ';' or '<' or '>' or '\\' or '=' || (c == ' ' && (i == 0 || i == value.Length - 1)) || (c == '#' && i == 0)) safe.Append('\\').Append(c);
            else if (c is < ' ' or '\x7f') safe.Append('\\').Append(((int)c).ToString("x2", null));
            else safe.Append(c);
        }
        return safe.ToString();
    }

    /// <summary>The value of the first part: "Staff" of <c>CN=Staff,OU=Groups,DC=example,DC=org</c>; null where the text is no name.</summary>
    public static string? FirstValue(string name)
    {
        var equals = name.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1) return null;
        var bytes = new List<byte>();
        for (var i = equals + 1; i < name.Length && name[i] is not (',' or '+' or ';'); i++)
        {
            if (name[i] != '\\')
            {
                var length = char.IsHighSurrogate(name[i]) && i + 1 < name.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(name.Substring(i, length)));
                i += length - 1;
            }
            // RFC 4514 3: pair = ESC ( ESC / special / hexpair )
            else if (i + 2 < name.Length && char.IsAsciiHexDigit(name[i + 1]) && char.IsAsciiHexDigit(name[i + 2]))
            {
                bytes.Add(Convert.FromHexString(name.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else if (i + 1 < name.Length) bytes.AddRange(Encoding.UTF8.GetBytes(name.Substring(++i, 1)));
            else return null;
        }
        var value = Encoding.UTF8.GetString([.. bytes]).Trim();
        return value.Length > 0 ? value : null;
    }

    /// <summary>Whether a name lies at or below another; case and spaces around separators do not count.</summary>
    public static bool IsBelow(string name, string above)
    {
        var (one, other) = (Plain(name), Plain(above));
        return one == other || other.Length == 0 || one.EndsWith("," + other, StringComparison.Ordinal);
    }

    /// <summary>A name in a form to compare it by: servers give one in different cases.</summary>
    public static string Plain(string name)
    {
        var plain = new StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == ' ' && (plain.Length == 0 || plain[^1] is ',' or '=' or '+' || Next(name, i) is '\0' or ',' or '=' or '+')) continue;
            plain.Append(char.ToLowerInvariant(name[i]));
            if (name[i] == '\\' && i + 1 < name.Length) plain.Append(char.ToLowerInvariant(name[++i]));
        }
        return plain.ToString();
    }

    static char Next(string name, int i)
    {
        while (i < name.Length && name[i] == ' ') i++;
        return i < name.Length ? name[i] : '\0';
    }
}
