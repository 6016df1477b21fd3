// Breaches planted on purpose: LayersTest runs its reader over this assembly and must find each of them.
#pragma warning disable CA1812, CA1822, CA1852, IDE0051, IDE0052, CS0169, CS0414, CS0649, CA1823
using CbaMail.Tests.House.Planted.High;

namespace CbaMail.Tests.House.Planted.High
{
    internal class Roof { public static int Height() => 3; }

    internal sealed class RoofException : Exception;

    [AttributeUsage(AttributeTargets.Class)]
    internal sealed class RoofAttribute : Attribute;

    internal sealed class UsesDownward { public Low.Cellar? Cellar { get; init; } }
}

namespace CbaMail.Tests.House.Planted.Beside
{
    internal sealed class Neighbour;
}

namespace CbaMail.Tests.House.Planted.Low
{
    internal sealed class Cellar;

    internal sealed class PlantedSideways { private readonly Beside.Neighbour? neighbour; }

    internal sealed class PlantedField { private readonly Roof? roof; }

    internal sealed class PlantedRelativeName { private readonly object roof = new High.Roof(); }

    internal sealed class PlantedBody { public int Look() => Roof.Height(); }

    internal sealed class PlantedLambda { public Func<int> Look() => () => Roof.Height(); }

    internal sealed class PlantedAsync
    {
        public async Task<int> LookAsync()
        {
            await Task.Yield();
            return Roof.Height();
        }
    }

    internal sealed class PlantedGenericArgument { public object Make() => new List<Dictionary<string, Roof[]>>(); }

    internal sealed class PlantedTypeOf { public Type Name() => typeof(Roof); }

    internal sealed class PlantedCatch
    {
        public bool Try(Action action)
        {
            try { action(); return true; }
            catch (RoofException) { return false; }
        }
    }

    internal sealed class PlantedBase : Roof;

    [Roof]
    internal sealed class PlantedAttribute;

    internal sealed class PlantedReturn { public Roof? Find() => null; }
}
