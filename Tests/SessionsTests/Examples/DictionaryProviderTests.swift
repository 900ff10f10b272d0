import Sessions
import SessionsTesting
import Testing

@Suite("The dictionary provider")
struct DictionaryProviderTests {
}
