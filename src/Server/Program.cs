namespace CbaMail;

/// <summary>Composition: which rooms start, in what order; no logic.</summary>
public static class Program
{
    public static Task<int> Main(string[] args)
    {
        _ = args;
        return Task.FromResult(0);
    }
}
