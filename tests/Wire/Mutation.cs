namespace CbaMail.Tests.Wire;

/// <summary>A line that is nearly right: up to three octets changed, put in, taken out, doubled or cut off.</summary>
internal static class Mutation
{
    /// <param name="random">Seeded, so that a failure can be played again.</param>
    /// <param name="line">The right line.</param>
    /// <param name="spice">Octets that mean something to the parser.</param>
    public static byte[] Of(Random random, byte[] line, byte[] spice)
    {
        var bytes = line.ToList();
        for (var n = random.Next(4); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.Insert(at, spice[random.Next(spice.Length)]); break;
                case 2: bytes.RemoveAt(at); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(20), bytes.Count - at))); break;
                default: bytes = bytes.GetRange(0, Math.Max(1, at)); break;
            }
            if (bytes.Count == 0) bytes.Add((byte)'x');
        }
        return [.. bytes];
    }
}
