using CbaMail.Dns;

namespace CbaMail.MailAuth.Spf;

/// <summary>
/// What an SPF record costs the one who has to go through all of it: a sender that stands in front is done with soon, but mail of others, and
/// forged mail, is judged by the whole record, and a permerror there is no protection (RFC 7208 4.6.4).
/// </summary>
/// <param name="Lookups">Terms that ask DNS, those of included records too; counting stops at <see cref="Most"/>.</param>
/// <param name="Length">Octets of the record itself.</param>
/// <param name="All">The qualifier of "all", in this record or where it redirects to; null where there is none.</param>
/// <param name="UsesPtr">A mechanism that shall not be used (RFC 7208 5.5).</param>
/// <param name="Missing">Names that stand in it and have nothing in DNS: void look-ups, of which two are allowed.</param>
public sealed record SpfCost(int Lookups, int Length, AuthResult? All, bool UsesPtr, IReadOnlyList<string> Missing)
{
    /// <summary>No record is followed further.</summary>
    public const int Most = 40;

    const int Deepest = 10;
    // RFC 7208 4.6.4
    static readonly SpfMechanism[] Asking = [SpfMechanism.Include, SpfMechanism.A, SpfMechanism.Mx, SpfMechanism.Ptr, SpfMechanism.Exists];

    /// <summary>Goes through a record and all that it includes; null where it cannot be read.</summary>
    public static async ValueTask<SpfCost?> MeasureAsync(string text, string domain, IResolver resolver, CancellationToken cancel)
    {
        if (!SpfRecord.IsSpf(text) || SpfRecord.Parse(text, out _) is not { } record) return null;
        var walk = new Walk(resolver, cancel);
        var all = await walk.RecordAsync(record, domain, 0);
        return new(walk.Lookups, System.Text.Encoding.UTF8.GetByteCount(text), all, walk.UsesPtr, walk.Missing);
    }

    sealed class Walk(IResolver resolver, CancellationToken cancel)
    {
        public int Lookups { get; private set; }
        public bool UsesPtr { get; private set; }
        public List<string> Missing { get; } = [];

        public async ValueTask<AuthResult?> RecordAsync(SpfRecord record, string domain, int depth)
        {
            foreach (var directive in record.Directives)
            {
                if (directive.Mechanism == SpfMechanism.All) return directive.Qualifier; // RFC 7208 5.1: what stands behind is never read
                if (!Asking.Contains(directive.Mechanism)) continue;
                if (Lookups >= Most) return null;
                Lookups++;
                UsesPtr |= directive.Mechanism == SpfMechanism.Ptr;
                var name = directive.Domain?.Text ?? domain;
                if (name.Contains('%', StringComparison.Ordinal)) continue; // depends on the message
                switch (directive.Mechanism)
                {
                    case SpfMechanism.Include when depth < Deepest: await FollowAsync(name, depth); break;
                    case SpfMechanism.A: await LookAsync(name); break;
                    case SpfMechanism.Mx when (await resolver.MxAsync(name, cancel)).Status is DnsStatus.NoSuchName or DnsStatus.NoData: Missing.Add(name); break;
                }
            }
            if (record.Redirect is null || Lookups >= Most || depth >= Deepest || record.Redirect.Text is not { } target) return null;
            Lookups++; // RFC 7208 6.1
            return target.Contains('%', StringComparison.Ordinal) ? null : await FollowAsync(target, depth);
        }

        async ValueTask LookAsync(string name)
        {
            if ((await resolver.AddressesAsync(name, v6: false, cancel)).Status is DnsStatus.NoSuchName or DnsStatus.NoData
                && (await resolver.AddressesAsync(name, v6: true, cancel)).Status is DnsStatus.NoSuchName or DnsStatus.NoData) Missing.Add(name);
        }

        async ValueTask<AuthResult?> FollowAsync(string name, int depth)
        {
            if (SpfName.CheckedDomain(name) is not { } domain) return null;
            var answer = await resolver.TxtAsync(SpfName.Query(domain), cancel);
            if (answer.Status == DnsStatus.Failed) return null;
            if (answer.Records.FirstOrDefault(SpfRecord.IsSpf) is not { } text) { Missing.Add(name); return null; }
            return SpfRecord.Parse(text, out _) is { } record ? await RecordAsync(record, domain, depth + 1) : null;
        }
    }
}
