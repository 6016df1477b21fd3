using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace CbaMail.Tests.House;

/// <summary>One use in compiled code: who (outermost type), what type (outermost), and the member, where one is named.</summary>
internal readonly record struct Use(string FromNamespace, string FromType, string ToNamespace, string ToType, string Member)
{
    public override string ToString() =>
        $"{FromNamespace}.{FromType} -> {ToNamespace}.{ToType}{(Member.Length > 0 ? "." + Member : "")}";
}

/// <summary>
/// Reads an assembly and lists every type and member that its types use: bases, interfaces, attributes, constraints, fields,
/// signatures, local variables, catch clauses and method bodies, those of the compiler's nested types counted to the type
/// that a person wrote. IL instead of text, because a relative name needs no using directive and a text search misses it.
/// </summary>
internal sealed class CompiledUses : IDisposable
{
    private static readonly OpCode[] OneByte = new OpCode[256];
    private static readonly OpCode[] TwoByte = new OpCode[256];
    private readonly PEReader pe;
    private readonly MetadataReader reader;

    static CompiledUses()
    {
        foreach (var field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            var value = (ushort)code.Value;
            if (value < 0x100) OneByte[value] = code;
            else TwoByte[value & 0xFF] = code;
        }
    }

    public CompiledUses(string assemblyPath)
    {
        pe = new PEReader(File.OpenRead(assemblyPath));
        reader = pe.GetMetadataReader();
    }

    public void Dispose() => pe.Dispose();

    /// <summary>Namespace and name of every type that is not nested.</summary>
    public IEnumerable<(string Namespace, string Name)> Types() =>
        from handle in reader.TypeDefinitions
        let type = reader.GetTypeDefinition(handle)
        where type.GetDeclaringType().IsNil
        select (reader.GetString(type.Namespace), reader.GetString(type.Name));

    public HashSet<Use> All()
    {
        var uses = new HashSet<Use>();
        foreach (var handle in reader.TypeDefinitions)
        {
            var type = reader.GetTypeDefinition(handle);
            var from = Outermost(handle);
            if (from.Namespace.Length == 0) continue;
            void Add(EntityHandle to)
            {
                foreach (var (target, member) in Resolve(to))
                    if (target != from) uses.Add(new(from.Namespace, from.Name, target.Namespace, target.Name, member));
            }
            void AddSignature(Action<Collector> decode)
            {
                var collector = new Collector();
                decode(collector);
                foreach (var seen in collector.Seen) Add(seen);
            }
            Add(type.BaseType);
            foreach (var i in type.GetInterfaceImplementations()) Add(reader.GetInterfaceImplementation(i).Interface);
            foreach (var a in type.GetCustomAttributes()) Add(reader.GetCustomAttribute(a).Constructor);
            foreach (var g in type.GetGenericParameters()) Constraints(g, Add);
            foreach (var f in type.GetFields())
                AddSignature(c => reader.GetFieldDefinition(f).DecodeSignature(c, null));
            foreach (var m in type.GetMethods()) ReadMethod(reader.GetMethodDefinition(m), Add, AddSignature);
        }
        return uses;
    }

    private void ReadMethod(MethodDefinition method, Action<EntityHandle> add, Action<Action<Collector>> addSignature)
    {
        addSignature(c => method.DecodeSignature(c, null));
        foreach (var a in method.GetCustomAttributes())
            if (!IsStateMachineAttribute(reader.GetCustomAttribute(a).Constructor)) add(reader.GetCustomAttribute(a).Constructor);
        foreach (var g in method.GetGenericParameters()) Constraints(g, add);
        if (method.RelativeVirtualAddress == 0) return;
        var body = pe.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
            addSignature(c => reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(c, null));
        foreach (var region in body.ExceptionRegions)
            if (!region.CatchType.IsNil) add(region.CatchType);
        var il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            var first = il.ReadByte();
            var code = first == 0xFE ? TwoByte[il.ReadByte()] : OneByte[first];
            switch (code.OperandType)
            {
                case OperandType.InlineNone: break;
                case OperandType.InlineSwitch:
                    var targets = il.ReadInt32();
                    il.Offset += 4 * targets;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar: il.Offset += 1; break;
                case OperandType.InlineVar: il.Offset += 2; break;
                case OperandType.InlineI8 or OperandType.InlineR: il.Offset += 8; break;
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    add(MetadataTokens.EntityHandle(il.ReadInt32()));
                    break;
                default: il.Offset += 4; break;
            }
        }
    }

    private void Constraints(GenericParameterHandle handle, Action<EntityHandle> add)
    {
        foreach (var c in reader.GetGenericParameter(handle).GetConstraints()) add(reader.GetGenericParameterConstraint(c).Type);
    }

    private bool IsStateMachineAttribute(EntityHandle constructor) =>
        Resolve(constructor).Any(r => r.Type.Name.EndsWith("StateMachineAttribute", StringComparison.Ordinal));

    private IEnumerable<((string Namespace, string Name) Type, string Member)> Resolve(EntityHandle handle)
    {
        if (handle.IsNil) return [];
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                return [(Outermost(handle), "")];
            case HandleKind.TypeSpecification:
                var spec = new Collector();
                reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(spec, null);
                return spec.Seen.SelectMany(Resolve);
            case HandleKind.MethodDefinition:
                var method = reader.GetMethodDefinition((MethodDefinitionHandle)handle);
                return [(Outermost(method.GetDeclaringType()), reader.GetString(method.Name))];
            case HandleKind.FieldDefinition:
                var field = reader.GetFieldDefinition((FieldDefinitionHandle)handle);
                return [(Outermost(field.GetDeclaringType()), reader.GetString(field.Name))];
            case HandleKind.MethodSpecification:
                var generic = reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                var arguments = new Collector();
                generic.DecodeSignature(arguments, null);
                return Resolve(generic.Method).Concat(arguments.Seen.SelectMany(Resolve));
            case HandleKind.MemberReference:
                var member = reader.GetMemberReference((MemberReferenceHandle)handle);
                var name = reader.GetString(member.Name);
                var types = new Collector();
                if (member.GetKind() == MemberReferenceKind.Method) member.DecodeMethodSignature(types, null);
                else member.DecodeFieldSignature(types, null);
                return Resolve(member.Parent).Select((r, i) => i == 0 ? (r.Type, name) : r).Concat(types.Seen.SelectMany(Resolve));
            default:
                return [];
        }
    }

    private (string Namespace, string Name) Outermost(EntityHandle handle)
    {
        if (handle.Kind == HandleKind.TypeDefinition)
        {
            var definition = reader.GetTypeDefinition((TypeDefinitionHandle)handle);
            while (!definition.GetDeclaringType().IsNil) definition = reader.GetTypeDefinition(definition.GetDeclaringType());
            return (reader.GetString(definition.Namespace), reader.GetString(definition.Name));
        }
        var reference = reader.GetTypeReference((TypeReferenceHandle)handle);
        while (reference.ResolutionScope.Kind == HandleKind.TypeReference)
            reference = reader.GetTypeReference((TypeReferenceHandle)reference.ResolutionScope);
        return (reader.GetString(reference.Namespace), reader.GetString(reference.Name));
    }

    /// <summary>Gathers every type handle of a signature.</summary>
    private sealed class Collector : ISignatureTypeProvider<int, object?>
    {
        public List<EntityHandle> Seen { get; } = [];

        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => See(handle);
        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => See(handle);
        public int GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => See(handle);
        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;
        public int GetArrayType(int elementType, ArrayShape shape) => 0;
        public int GetByReferenceType(int elementType) => 0;
        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;
        public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;
        public int GetGenericMethodParameter(object? genericContext, int index) => 0;
        public int GetGenericTypeParameter(object? genericContext, int index) => 0;
        public int GetPinnedType(int elementType) => 0;
        public int GetPointerType(int elementType) => 0;
        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;
        public int GetSZArrayType(int elementType) => 0;

        private int See(EntityHandle handle)
        {
            Seen.Add(handle);
            return 0;
        }
    }
}
